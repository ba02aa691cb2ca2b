// frozen_norm: y = weight * centre(x) / scale with a given scale, or its transpose y = centre(weight * x) / scale.
//
// shapes    x [rows, width], weight [width], scale [1] -> y [rows, width]
// types     f32 in, weight f32, f16 or bf16, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads x twice (cache), writes y once
// numerics  centre subtracts the row's mean if params.centred, else it is the identity; no overflow for |x| < 1e18
// twin      tests/reference/sub_values.ts
// calls     weight_at, row_sum

struct Params { rows: u32, width: u32, weightType: u32, centred: u32, transposed: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<u32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var mean = 0.0;
  if (params.centred != 0u) {
    var sum = 0.0;
    for (var i = lane; i < params.width; i += WG) {
      sum += x[start + i] * select(1.0, weightAt(i), params.transposed != 0u);
    }
    mean = rowSum(sum, lane) / f32(params.width);
  }
  let divisor = scale[0];
  for (var i = lane; i < params.width; i += WG) {
    let w = weightAt(i);
    if (params.transposed != 0u) {
      y[start + i] = (x[start + i] * w - mean) / divisor;
    } else {
      y[start + i] = (x[start + i] - mean) / divisor * w;
    }
  }
}
