// block_products: 16 x 64 dot products of rows of 64 elements, by a subgroup of 8 lanes without memory or barrier.
//
// needs     leftQuad(row, k), rightQuad(row, k): elements 4 k to 4 k + 3 of a row
// calls     broadcast_quads

// Elements 4 k to 4 k + 3 of four rows from `row` on, one element a matrix column.
fn rightQuads(row: u32, k: u32) -> mat4x4f {
  return transpose(mat4x4f(rightQuad(row, k), rightQuad(row + 1u, k), rightQuad(row + 2u, k), rightQuad(row + 3u, k)));
}

// Left rows from `row` on with right rows `col`; each lane loads two left rows, and all get them by broadcast.
fn blockProducts(row: u32, col: u32, lane: u32) -> BlockSums {
  var sums: BlockSums;
  for (var k = 0u; k < 16u; k++) {
    let upper = leftQuad(row + lane, k);
    let lower = leftQuad(row + lane + 8u, k);
    addQuads(&sums, upper, lower, rightQuads(col, k), rightQuads(col + 32u, k));
  }
  return sums;
}
