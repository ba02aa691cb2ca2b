// block_products: 16 x 64 dot products of rows of 64 elements, by a subgroup of 8 lanes without memory or barrier.
//
// needs     leftQuad(row, k), rightQuad(row, k): elements 4 k to 4 k + 3 of a row

// One lane's sums: 16 rows, columns col to col + 3 (lo) and col + 32 to col + 35 (hi) of each.
struct BlockProducts { lo: array<vec4f, 16>, hi: array<vec4f, 16> }

// Elements 4 k to 4 k + 3 of four rows from `row` on, one element a matrix column.
fn rightQuads(row: u32, k: u32) -> mat4x4f {
  return transpose(mat4x4f(rightQuad(row, k), rightQuad(row + 1u, k), rightQuad(row + 2u, k), rightQuad(row + 3u, k)));
}

// Left rows from `row` on with right rows `col`; each lane loads two left rows, and all get them by broadcast. Constant
// indices and no loop over rows: a variable index would move the sums from registers to memory.
fn blockProducts(row: u32, col: u32, lane: u32) -> BlockProducts {
  var sums: BlockProducts;
  for (var k = 0u; k < 16u; k++) {
    let left0 = leftQuad(row + lane, k);
    let left1 = leftQuad(row + lane + 8u, k);
    let lo = rightQuads(col, k);
    let hi = rightQuads(col + 32u, k);
    { let x = subgroupBroadcast(left0, 0u); sums.lo[0] += lo * x; sums.hi[0] += hi * x; }
    { let x = subgroupBroadcast(left0, 1u); sums.lo[1] += lo * x; sums.hi[1] += hi * x; }
    { let x = subgroupBroadcast(left0, 2u); sums.lo[2] += lo * x; sums.hi[2] += hi * x; }
    { let x = subgroupBroadcast(left0, 3u); sums.lo[3] += lo * x; sums.hi[3] += hi * x; }
    { let x = subgroupBroadcast(left0, 4u); sums.lo[4] += lo * x; sums.hi[4] += hi * x; }
    { let x = subgroupBroadcast(left0, 5u); sums.lo[5] += lo * x; sums.hi[5] += hi * x; }
    { let x = subgroupBroadcast(left0, 6u); sums.lo[6] += lo * x; sums.hi[6] += hi * x; }
    { let x = subgroupBroadcast(left0, 7u); sums.lo[7] += lo * x; sums.hi[7] += hi * x; }
    { let x = subgroupBroadcast(left1, 0u); sums.lo[8] += lo * x; sums.hi[8] += hi * x; }
    { let x = subgroupBroadcast(left1, 1u); sums.lo[9] += lo * x; sums.hi[9] += hi * x; }
    { let x = subgroupBroadcast(left1, 2u); sums.lo[10] += lo * x; sums.hi[10] += hi * x; }
    { let x = subgroupBroadcast(left1, 3u); sums.lo[11] += lo * x; sums.hi[11] += hi * x; }
    { let x = subgroupBroadcast(left1, 4u); sums.lo[12] += lo * x; sums.hi[12] += hi * x; }
    { let x = subgroupBroadcast(left1, 5u); sums.lo[13] += lo * x; sums.hi[13] += hi * x; }
    { let x = subgroupBroadcast(left1, 6u); sums.lo[14] += lo * x; sums.hi[14] += hi * x; }
    { let x = subgroupBroadcast(left1, 7u); sums.lo[15] += lo * x; sums.hi[15] += hi * x; }
  }
  return sums;
}
