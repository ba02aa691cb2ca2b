// kl_divergence_backward: dLogits = weight * p * (log p - reference - kl) with log p = logits - logSumExp.
//
// shapes    logits [rows, width], logSumExp [rows], reference [rows, width], kl [rows], weight [rows] -> dLogits
// types     f32 in, f32 out
// grid      rows, folded to 2-D, times ceil(width / slice) workgroups; WG threads share a slice of a row
// override  WG = 64
// memory    reads logits and reference once, writes dLogits [rows, width] once
// numerics  logits - logSumExp <= 0 up to rounding, so exp does not overflow
// twin      tests/reference/softmax.ts

struct Params { rows: u32, width: u32, slice: u32 }

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(2) var<storage, read> reference: array<f32>;
@group(0) @binding(3) var<storage, read> kl: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> dLogits: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let end = min((group.z + 1u) * params.slice, params.width);
  let logTotal = logSumExp[row];
  let factor = weight[row];
  let divergence = kl[row];
  for (var i = group.z * params.slice + lane; i < end; i += WG) {
    let logProb = logits[start + i] - logTotal;
    dLogits[start + i] = factor * exp(logProb) * (logProb - reference[start + i] - divergence);
  }
}
