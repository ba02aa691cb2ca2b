// weight_octet: eight elements of a weight of any stored type.
//
// needs     weight: array<HalfOctet>, WEIGHT_TYPE
// calls     octet, decode_octet

// Elements 8 i to 8 i + 7.
fn weightOctet(i: u32) -> mat2x4f {
  if (WEIGHT_TYPE == 0u) { return decodeOctet(halfWords(weight[2u * i]), halfWords(weight[2u * i + 1u]), 0u); }
  return decodeOctet(halfWords(weight[i]), vec4u(), WEIGHT_TYPE);
}
