// norm_scale: the divisor of a norm, sqrt(mean((x - centre)^2) + eps), one workgroup a row.
//
// shapes    x [rows, width] -> scale [rows]
// types     f32 in, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads x twice (cache)
// numerics  two-pass variance; centre is the row's mean, or 0 where params.centre is 0
// twin      tests/reference/norms.ts
// calls     row_sum

struct Params { rows: u32, width: u32, centre: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var centre = 0.0;
  if (params.centre != 0u) {
    var sum = 0.0;
    for (var i = lane; i < params.width; i += WG) { sum += x[start + i]; }
    centre = rowSum(sum, lane) / f32(params.width);
  }
  var squares = 0.0;
  for (var i = lane; i < params.width; i += WG) {
    let centred = x[start + i] - centre;
    squares += centred * centred;
  }
  let total = rowSum(squares, lane);
  if (lane == 0u) { scale[row] = sqrt(total / f32(params.width) + params.eps); }
}
