// cholesky_update: trailing matrix A22 -= P P' on tiles of the lower triangle, and P back into A's own columns.
//
// shapes    panel [size, 64], rows below the block of it; a [size, size], in place
// types     f32 in, f32 accumulate, f32 out
// grid      (2 + T) x T workgroups, T = rows below / 32: the first 2 columns of groups copy the panel, tiles above the
//           diagonal end at once; 8 x 8 threads make 32 x 32 results, 4 x 4 a thread
// override  none
// memory    no workgroup memory; each thread reads 8 rows of 64
// numerics  dot products of 64 terms; both halves of a tile on the diagonal are updated and stay equal
// twin      tests/reference/cholesky.ts

struct Params { size: u32, start: u32 }

const BLOCK = 64u;
const VECTORS = 16u; // vec4 in a row of the panel

@group(0) @binding(0) var<storage, read> panel: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> a: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let below = params.start + BLOCK;
  let row = below + (group.y * 8u + local.y) * 4u;
  let stride = params.size / 4u;
  if (group.x < 2u) {
    let col = (group.x * 8u + local.x) * 4u;
    for (var i = 0u; i < 4u; i++) {
      a[(row + i) * stride + (params.start + col) / 4u] = panel[(row + i) * VECTORS + col / 4u];
    }
    return;
  }
  if (group.x - 2u > group.y) { return; }
  let col = below + ((group.x - 2u) * 8u + local.x) * 4u;
  let left = row * VECTORS;
  let right = col * VECTORS;
  var sums = array<vec4f, 4>();
  for (var k = 0u; k < VECTORS; k++) {
    let b0 = panel[right + k];
    let b1 = panel[right + VECTORS + k];
    let b2 = panel[right + 2u * VECTORS + k];
    let b3 = panel[right + 3u * VECTORS + k];
    for (var i = 0u; i < 4u; i++) {
      let x = panel[left + i * VECTORS + k];
      sums[i] += vec4f(dot(x, b0), dot(x, b1), dot(x, b2), dot(x, b3));
    }
  }
  for (var i = 0u; i < 4u; i++) { a[(row + i) * stride + col / 4u] -= sums[i]; }
}
