// row_norms: Euclidean norm of each row, one workgroup a row.
//
// shapes    x [rows, width] -> norm [rows]
// types     f32 in, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads x once
// numerics  plain sum of squares; finite for norms below 1e19
// twin      tests/reference/adam.ts
// calls     row_sum

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
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
  let total = rowSum(squares, lane);
  if (lane == 0u) { norm[row] = sqrt(total); }
}
