// matmul_bias: element of the bias, 0 without one.
//
// needs     bias: array<u32>, BIAS_TYPE
// calls     decode

fn biasAt(col: u32) -> f32 {
  if (BIAS_TYPE > 2u) { return 0.0; }
  return decode(bias[select(col, col >> 1u, BIAS_TYPE != 0u)], col, BIAS_TYPE);
}
