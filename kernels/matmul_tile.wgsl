// matmul_tile: y = scale * a b + bias, a square of 32 or 64 outputs a side for each workgroup, operands staged in
// workgroup memory.
//
// shapes    a [rows, inner] ([inner, rows] if A_TRANSPOSED), b [inner, cols] ([cols, inner] if B_TRANSPOSED),
//           bias [cols] -> y [rows, cols]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(rows / tile) * ceil(cols / tile) workgroups, row blocks first, folded to 2-D, where tile = 4 SIDE;
//           256 threads, 16 outputs each, or, where SIDE is 8, 16 quarters of an output
// override  SIDE = 16, or 8; layout, alignment, type and epilogue, see below
// memory    16 KiB workgroup; a group reads its rows and columns once, neighbour threads neighbour fours
// numerics  each inner product is summed in order, four terms at a time; where SIDE is 8, in four parts
// twin      tests/reference/matmul.ts
// calls     matmul_params, quad_operands, matmul_rows, matmul_steps, tile_products, matmul_bias, matmul_store

fn storeRow(row: u32, cols: vec4u, sums: vec4f) {
  store(row, cols.x, sums.x);
  store(row, cols.y, sums.y);
  store(row, cols.z, sums.z);
  store(row, cols.w, sums.w);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let block = group.y * groups.x + group.x;
  let row = block % params.rowBlocks * LINES;
  let col = block / params.rowBlocks * LINES;
  if (col >= params.cols || (SYMMETRIC && col > row)) { return; }
  let sums = tileSums(row, col, params.first, params.end, thread);
  let i = row + firstLine(thread);
  let cols = tileCols(thread) + col;
  let columns = biasQuad(cols);
  storeRow(i, cols, params.scale * sums[0] + columns);
  if (SLICES > 1u) { return; }
  storeRow(i + SIDE, cols, params.scale * sums[1] + columns);
  storeRow(i + 2u * SIDE, cols, params.scale * sums[2] + columns);
  storeRow(i + 3u * SIDE, cols, params.scale * sums[3] + columns);
}
