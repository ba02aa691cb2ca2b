// cholesky_panel: the rows of L below a diagonal block, P = A inverse(L)', by a 4 x 4 tile a thread.
//
// shapes    a [size, size], columns start .. start + 63 of it; inverse [size / 64, 64, 64]; panel [size, 64]
// types     f32 in, f32 accumulate, f32 out
// grid      64 / 32 x ceil(rows below / 32) workgroups, rows folded into z; 8 x 8 threads make 32 x 32 results
// override  none
// memory    no workgroup memory; each thread reads 8 rows of 64
// numerics  dot products of 64 terms; rows above the block's end are left alone
// twin      tests/reference/cholesky.ts

struct Params { size: u32, start: u32 }

const BLOCK = 64u;
const VECTORS = 16u; // vec4 in a row of a block

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> inverse: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> panel: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) local: vec3u) {
  let row = params.start + BLOCK + ((group.z * groups.y + group.y) * 8u + local.y) * 4u;
  let col = (group.x * 8u + local.x) * 4u;
  if (row >= params.size) { return; }
  let stride = params.size / 4u;
  let left = row * stride + params.start / 4u;
  let right = (params.start + col) * VECTORS;
  var sums = array<vec4f, 4>();
  for (var k = 0u; k < VECTORS; k++) {
    let b0 = inverse[right + k];
    let b1 = inverse[right + VECTORS + k];
    let b2 = inverse[right + 2u * VECTORS + k];
    let b3 = inverse[right + 3u * VECTORS + k];
    for (var i = 0u; i < 4u; i++) {
      let x = a[left + i * stride + k];
      sums[i] += vec4f(dot(x, b0), dot(x, b1), dot(x, b2), dot(x, b3));
    }
  }
  for (var i = 0u; i < 4u; i++) { panel[(row + i) * VECTORS + col / 4u] = sums[i]; }
}
