// matmul_bias: element of the bias, 0 without one.
//
// needs     bias: array<u32>, params.biasType
// calls     decode

fn biasAt(col: u32) -> f32 {
  if (params.biasType > 2u) { return 0.0; }
  return decode(bias[select(col, col >> 1u, params.biasType != 0u)], col, params.biasType);
}
