// matmul_store: one output, added or mirrored as asked.
//
// needs     y, params.rows, params.cols, params.yStride, ACCUMULATE, SYMMETRIC

fn store(row: u32, col: u32, sum: f32) {
  if (row >= params.rows || col >= params.cols || (SYMMETRIC && col > row)) { return; }
  let at = row * params.yStride + col;
  if (ACCUMULATE) { y[at] += sum; } else { y[at] = sum; }
  if (SYMMETRIC) { y[col * params.yStride + row] = y[at]; }
}
