// kl_divergence: sum of p * (log p - reference) of each row with log p = logits - logSumExp, one workgroup a row.
//
// shapes    logits [rows, width], logSumExp [rows], reference [rows, width] -> divergence [rows]
// types     f32 in, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads logits and reference once, stores no probability
// numerics  terms of both signs cancel where the distributions are close, so the error is absolute, not relative
// twin      tests/reference/softmax.ts
// calls     row_sum

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(2) var<storage, read> reference: array<f32>;
@group(0) @binding(3) var<storage, read_write> divergence: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let logTotal = logSumExp[row];
  var sum = 0.0;
  for (var i = lane; i < params.width; i += WG) {
    let logProb = logits[start + i] - logTotal;
    sum += exp(logProb) * (logProb - reference[start + i]);
  }
  let total = rowSum(sum, lane);
  if (lane == 0u) { divergence[row] = total; }
}
