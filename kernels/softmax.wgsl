// softmax: y = exp(x - max) / sum exp(x - max), or its logarithm, one workgroup a row.
//
// shapes    x [rows, width] -> y [rows, width]
// types     f32 in, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two), LOG: the logarithm
// memory    8 * WG bytes workgroup; reads x twice (cache), writes y once
// numerics  running maximum, so no exp overflows and large logits lose no digits; finite for |x| < 1e38
// calls     exp_sum
// twin      tests/reference/softmax.ts

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
override LOG: bool = false;
var<workgroup> partials: array<vec2f, WG>;

// Largest value of the row and the sum of exp(value - largest); every thread gets it.
fn rowStatistics(start: u32, lane: u32) -> vec2f {
  var own = vec2f(LOWEST, 0.0);
  for (var i = lane; i < params.width; i += WG) { own = include(own, x[start + i], 1.0); }
  partials[lane] = own;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { partials[lane] = merge(partials[lane], partials[lane + half]); }
    workgroupBarrier();
  }
  return partials[0];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let statistics = rowStatistics(start, lane);
  if (LOG) {
    let logSum = log(statistics.y);
    for (var i = lane; i < params.width; i += WG) { y[start + i] = x[start + i] - statistics.x - logSum; }
  } else {
    let scale = 1.0 / statistics.y;
    for (var i = lane; i < params.width; i += WG) { y[start + i] = exp(x[start + i] - statistics.x) * scale; }
  }
}
