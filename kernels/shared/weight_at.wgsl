// weight_at: element of a weight of any stored type.
//
// needs     weight: array<u32>, params.weightType
// calls     decode

fn weightAt(i: u32) -> f32 {
  return decode(weight[select(i, i >> 1u, params.weightType != 0u)], i, params.weightType);
}
