// matmul_rows: four steps of four rows of a.
//
// needs     a, aQuads, params
// calls     matmul_layout

override A_ALIGNED: bool = false; // the contiguous dimension of a is a multiple of 4

// Steps k to k + 3 of four rows, one row a matrix column, zero past the last step.
fn aSteps(row: u32, k: u32) -> mat4x4f {
  var quads = mat4x4f(aLine(row, k, 0u), aLine(row, k, 1u), aLine(row, k, 2u), aLine(row, k, 3u));
  if (A_TRANSPOSED) { quads = transpose(quads); }
  let real = vec4u(k, k + 1u, k + 2u, k + 3u) < vec4u(params.inner);
  return mat4x4f(select(vec4f(0.0), quads[0], real), select(vec4f(0.0), quads[1], real),
                 select(vec4f(0.0), quads[2], real), select(vec4f(0.0), quads[3], real));
}

// Four elements of line i of those four: steps of a row, or rows of a step. Past an end the last one repeats.
fn aLine(row: u32, k: u32, i: u32) -> vec4f {
  let last = select(params.inner, params.rows, A_TRANSPOSED) - 1u;
  let at = select(k, row, A_TRANSPOSED);
  let start = params.aStride * select(min(row + i, params.rows - 1u), min(k + i, params.inner - 1u), A_TRANSPOSED);
  if (A_ALIGNED) { return aQuads[(start + min(at, last - 3u)) >> 2u]; }
  return vec4f(a[start + min(at, last)], a[start + min(at + 1u, last)], a[start + min(at + 2u, last)],
               a[start + min(at + 3u, last)]);
}
