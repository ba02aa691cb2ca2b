// weight_quad: four elements of a weight of any stored type.
//
// needs     weight: array<vec2u>, WEIGHT_TYPE
// calls     decode_quad

// Elements 4 i to 4 i + 3.
fn weightQuad(i: u32) -> vec4f {
  if (WEIGHT_TYPE == 0u) { return decodeQuad(vec4u(weight[2u * i], weight[2u * i + 1u]), 0u); }
  return decodeQuad(vec4u(weight[i], 0u, 0u), WEIGHT_TYPE);
}
