// log_sum_exp: y = log(sum of weight * exp(x)) of each row, one workgroup a row.
//
// shapes    x [rows, width], weights [width] or [rows, width] -> y [rows]
// types     f32 in, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    8 * WG bytes workgroup; reads x and weights once
// numerics  running maximum of x, so no exp overflows; finite for |x| < 1e38 and a weighted sum above 0
// calls     exp_sum
// twin      tests/reference/softmax.ts

struct Params { rows: u32, width: u32, weighted: u32, weightStride: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let weightStart = row * params.weightStride;
  var own = vec2f(LOWEST, 0.0);
  for (var i = lane; i < params.width; i += WG) {
    var weight = 1.0;
    if (params.weighted != 0u) { weight = weights[weightStart + i]; }
    own = include(own, x[start + i], weight);
  }
  partials[lane] = own;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { partials[lane] = merge(partials[lane], partials[lane + half]); }
    workgroupBarrier();
  }
  if (lane == 0u) { y[row] = partials[0].x + log(partials[0].y); }
}
