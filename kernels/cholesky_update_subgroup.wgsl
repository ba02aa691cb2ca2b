// cholesky_update_subgroup: trailing matrix A22 -= P P' on its lower tiles, 16 x 64 a subgroup, and P back into A.
//
// shapes    panel [size, 64], rows below the block of it; a [size, size], in place
// types     f32 in, f32 accumulate, f32 out
// grid      (1 + columns below / 64) x (rows below / 16) workgroups: the first column of groups copies the panel, tiles
//           above the diagonal end at once; 8 threads, one subgroup
// override  none
// memory    no workgroup memory, no barrier; a group reads its 16 rows and 64 columns once
// numerics  dot products of 64 terms in order; both halves of a 32 x 32 tile on the diagonal are updated and stay equal
// twin      tests/reference/cholesky.ts
// calls     block_products

struct Params { size: u32, start: u32 }

const BLOCK = 64u;
const VECTORS = 16u; // vec4 in a row of the panel

@group(0) @binding(0) var<storage, read> panel: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> a: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

fn leftQuad(row: u32, k: u32) -> vec4f { return panel[row * VECTORS + k]; }

fn rightQuad(row: u32, k: u32) -> vec4f { return panel[row * VECTORS + k]; }

fn subtract(row: u32, col: u32, lo: vec4f, hi: vec4f) {
  let end = (row | 31u) + 1u; // of the tile on the diagonal
  let at = (row * params.size + col) / 4u;
  if (col < end) { a[at] -= lo; }
  if (col + 32u < end) { a[at + 8u] -= hi; }
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let below = params.start + BLOCK;
  let row = below + 16u * group.y;
  if (group.x == 0u) {
    for (var i = lane; i < 16u * VECTORS; i += 8u) {
      let own = row + i / VECTORS;
      a[(own * params.size + params.start) / 4u + i % VECTORS] = panel[own * VECTORS + i % VECTORS];
    }
    return;
  }
  let first = below + 64u * (group.x - 1u);
  if (first > row + 15u) { return; }
  let col = first + 4u * lane;
  let sums = blockProducts(row, col, lane);
  subtract(row + 0u, col, sums.lo[0], sums.hi[0]);
  subtract(row + 1u, col, sums.lo[1], sums.hi[1]);
  subtract(row + 2u, col, sums.lo[2], sums.hi[2]);
  subtract(row + 3u, col, sums.lo[3], sums.hi[3]);
  subtract(row + 4u, col, sums.lo[4], sums.hi[4]);
  subtract(row + 5u, col, sums.lo[5], sums.hi[5]);
  subtract(row + 6u, col, sums.lo[6], sums.hi[6]);
  subtract(row + 7u, col, sums.lo[7], sums.hi[7]);
  subtract(row + 8u, col, sums.lo[8], sums.hi[8]);
  subtract(row + 9u, col, sums.lo[9], sums.hi[9]);
  subtract(row + 10u, col, sums.lo[10], sums.hi[10]);
  subtract(row + 11u, col, sums.lo[11], sums.hi[11]);
  subtract(row + 12u, col, sums.lo[12], sums.hi[12]);
  subtract(row + 13u, col, sums.lo[13], sums.hi[13]);
  subtract(row + 14u, col, sums.lo[14], sums.hi[14]);
  subtract(row + 15u, col, sums.lo[15], sums.hi[15]);
}
