// matmul_bias: elements of the bias, 0 without one.
//
// needs     bias: array<u32>, params, BIAS_TYPE
// calls     decode

fn biasAt(col: u32) -> f32 {
  if (BIAS_TYPE > 2u) { return 0.0; }
  return decode(bias[select(col, col >> 1u, BIAS_TYPE != 0u)], col, BIAS_TYPE);
}

// Elements of four columns; of one past the end the last.
fn biasQuad(cols: vec4u) -> vec4f {
  let at = min(cols, vec4u(params.cols - 1u));
  return vec4f(biasAt(at.x), biasAt(at.y), biasAt(at.z), biasAt(at.w));
}
