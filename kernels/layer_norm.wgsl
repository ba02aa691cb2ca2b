// layer_norm: y = (x - mean) / sqrt(mean((x - mean)^2) + eps) * weight + bias, one workgroup a row.
//
// shapes    x [rows, width], weight [width], bias [width] -> y [rows, width]
// types     f32 in, weight and bias f32, f16 or bf16, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads x three times (cache), writes y once
// numerics  two-pass variance, which large outlier dimensions need; finite for |x| < 1e18
// twin      tests/reference/norms.ts
// calls     weight_at, decode, row_sum

struct Params { rows: u32, width: u32, weightType: u32, biasType: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<u32>;
@group(0) @binding(2) var<storage, read> bias: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

fn biasAt(i: u32) -> f32 {
  return decode(bias[select(i, i >> 1u, params.biasType != 0u)], i, params.biasType);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var sum = 0.0;
  for (var i = lane; i < params.width; i += WG) { sum += x[start + i]; }
  let mean = rowSum(sum, lane) / f32(params.width);
  var squares = 0.0;
  for (var i = lane; i < params.width; i += WG) {
    let centred = x[start + i] - mean;
    squares += centred * centred;
  }
  let scale = sqrt(rowSum(squares, lane) / f32(params.width) + params.eps);
  for (var i = lane; i < params.width; i += WG) {
    y[start + i] = (x[start + i] - mean) / scale * weightAt(i) + biasAt(i);
  }
}
