// cross_entropy_backward: dLogits = weight * (p - 1 at the wanted token), log p = logits - wanted logit + logProb.
//
// shapes    logits [rows, width], logProb [rows], wanted [rows], weight [rows] -> dLogits [rows, width]
// types     f32 in, u32 indices, f32 out
// grid      rows, folded to 2-D, times ceil(width / slice) workgroups; WG threads share a slice of a row
// override  WG = 64
// memory    reads logits once, writes dLogits once
// numerics  log p <= 0 up to rounding, so exp does not overflow; rows of weight 0 become 0. The log-probability of an
//           almost certain token keeps the digits that 1 - p needs; a log-sum-exp is as coarse as the logits are large
// twin      tests/reference/softmax.ts

struct Params { rows: u32, width: u32, slice: u32 }

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> logProb: array<f32>;
@group(0) @binding(2) var<storage, read> wanted: array<u32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> dLogits: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let end = min((group.z + 1u) * params.slice, params.width);
  let factor = weight[row];
  let token = wanted[row];
  let wantedLogit = logits[start + token];
  let wantedLogProb = logProb[row];
  for (var i = group.z * params.slice + lane; i < end; i += WG) {
    let p = exp((logits[start + i] - wantedLogit) + wantedLogProb);
    dLogits[start + i] = factor * (p - select(0.0, 1.0, i == token));
  }
}
