// cholesky_panel_subgroup: the rows of L below a diagonal block, P = A inverse(L)', 16 rows a subgroup of 8 lanes.
//
// shapes    a [size, size], columns start .. start + 63 of it; inverse [size / 64, 64, 64]; panel [size, 64]
// types     f32 in, f32 accumulate, f32 out
// grid      ceil(rows below / 16) workgroups, folded to 2-D; 8 threads, one subgroup
// override  none
// memory    no workgroup memory, no barrier; a group reads its rows and the inverted block once
// numerics  dot products of 64 terms in order; rows above the block's end are left alone
// twin      tests/reference/cholesky.ts
// calls     block_products

struct Params { size: u32, start: u32 }

const BLOCK = 64u;
const VECTORS = 16u; // vec4 in a row of a block

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> inverse: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> panel: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

fn leftQuad(row: u32, k: u32) -> vec4f { return a[(row * params.size + params.start) / 4u + k]; }

fn rightQuad(row: u32, k: u32) -> vec4f { return inverse[(params.start + row) * VECTORS + k]; }

fn storeRow(row: u32, col: u32, lo: vec4f, hi: vec4f) {
  panel[row * VECTORS + col / 4u] = lo;
  panel[row * VECTORS + col / 4u + 8u] = hi;
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = params.start + BLOCK + 16u * (group.y * groups.x + group.x);
  if (row >= params.size) { return; }
  let col = 4u * lane;
  let sums = blockProducts(row, col, lane);
  storeRow(row + 0u, col, sums.lo[0], sums.hi[0]);
  storeRow(row + 1u, col, sums.lo[1], sums.hi[1]);
  storeRow(row + 2u, col, sums.lo[2], sums.hi[2]);
  storeRow(row + 3u, col, sums.lo[3], sums.hi[3]);
  storeRow(row + 4u, col, sums.lo[4], sums.hi[4]);
  storeRow(row + 5u, col, sums.lo[5], sums.hi[5]);
  storeRow(row + 6u, col, sums.lo[6], sums.hi[6]);
  storeRow(row + 7u, col, sums.lo[7], sums.hi[7]);
  storeRow(row + 8u, col, sums.lo[8], sums.hi[8]);
  storeRow(row + 9u, col, sums.lo[9], sums.hi[9]);
  storeRow(row + 10u, col, sums.lo[10], sums.hi[10]);
  storeRow(row + 11u, col, sums.lo[11], sums.hi[11]);
  storeRow(row + 12u, col, sums.lo[12], sums.hi[12]);
  storeRow(row + 13u, col, sums.lo[13], sums.hi[13]);
  storeRow(row + 14u, col, sums.lo[14], sums.hi[14]);
  storeRow(row + 15u, col, sums.lo[15], sums.hi[15]);
}
