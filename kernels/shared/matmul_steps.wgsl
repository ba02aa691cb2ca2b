// matmul_steps: four steps of four columns of b.
//
// needs     b, params
// calls     matmul_layout, matrix_element, matrix_quad

override B_ALIGNED: bool = false; // the contiguous dimension of b is a multiple of 4

// Steps k to k + 3 of four columns, one step a matrix column. Past an end the last one repeats: a is zero there.
fn bSteps(col: u32, k: u32) -> mat4x4f {
  let lines = bLines(col, k);
  if (B_TRANSPOSED) { return transpose(lines); }
  return lines;
}

// The same, one column of b a matrix column.
fn bColumns(col: u32, k: u32) -> mat4x4f {
  let lines = bLines(col, k);
  if (B_TRANSPOSED) { return lines; }
  return transpose(lines);
}

// The same as it lies in memory.
fn bLines(col: u32, k: u32) -> mat4x4f {
  return mat4x4f(bLine(col, k, 0u), bLine(col, k, 1u), bLine(col, k, 2u), bLine(col, k, 3u));
}

// Four elements of line i of those four: steps of a column, or columns of a step.
fn bLine(col: u32, k: u32, i: u32) -> vec4f {
  let width = select(params.cols, params.inner, B_TRANSPOSED);
  let at = select(col, k, B_TRANSPOSED);
  let start = width * select(min(k + i, params.inner - 1u), min(col + i, params.cols - 1u), B_TRANSPOSED);
  if (B_ALIGNED) { return bQuad(start + min(at, width - 4u)); }
  let last = width - 1u;
  return vec4f(bAt(start + min(at, last)), bAt(start + min(at + 1u, last)), bAt(start + min(at + 2u, last)),
               bAt(start + min(at + 3u, last)));
}
