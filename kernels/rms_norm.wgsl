// rms_norm: y = x / sqrt(mean(x^2) + eps) * weight, one workgroup a row.
//
// shapes    x [rows, width], weight [width] -> y [rows, width]
// types     f32 in, weight f32, f16 or bf16, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads x twice (cache), writes y once
// numerics  finite for |x| < 1e18
// twin      tests/reference/norms.ts
// calls     weight_at, row_sum

struct Params { rows: u32, width: u32, weightType: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var squares = 0.0;
  for (var i = lane; i < params.width; i += WG) { squares += x[start + i] * x[start + i]; }
  let scale = sqrt(rowSum(squares, lane) / f32(params.width) + params.eps);
  for (var i = lane; i < params.width; i += WG) {
    y[start + i] = x[start + i] / scale * weightAt(i);
  }
}
