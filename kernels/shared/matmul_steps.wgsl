// matmul_steps: four steps of four columns of b, and four elements of the bias.
//
// needs     b, bias, the layout and alignment overrides
// calls     matrix_element, matrix_quad, decode

// Steps k to k + 3 of four columns, one step a matrix column. Past an end the last one repeats: a is zero there.
fn bSteps(col: u32, k: u32) -> mat4x4f {
  let width = select(params.cols, params.inner, B_TRANSPOSED);
  let at = select(col, k, B_TRANSPOSED);
  var quads: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    let start = width * select(min(k + i, params.inner - 1u), min(col + i, params.cols - 1u), B_TRANSPOSED);
    if (B_ALIGNED) {
      quads[i] = bQuad(start + min(at, width - 4u));
    } else {
      for (var j = 0u; j < 4u; j++) { quads[i][j] = bAt(start + min(at + j, width - 1u)); }
    }
  }
  if (B_TRANSPOSED) { return transpose(quads); }
  return quads;
}

fn biasQuad(col: u32) -> vec4f {
  var quad: vec4f;
  for (var j = 0u; j < 4u && BIAS_TYPE < 3u; j++) {
    let c = min(col + j, params.cols - 1u);
    quad[j] = decode(bias[select(c, c >> 1u, BIAS_TYPE != 0u)], c, BIAS_TYPE);
  }
  return quad;
}
