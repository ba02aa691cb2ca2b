// decode_octet: eight numbers behind stored elements.
//
// needs     nothing
// calls     decode_quad

// Eight elements whose words were loaded: eight of f32, or the first four of a half type; dtype 0 f32, 1 f16, 2 bf16.
fn decodeOctet(first: vec4u, second: vec4u, dtype: u32) -> mat2x4f {
  if (dtype == 0u) { return mat2x4f(decodeQuad(first, dtype), decodeQuad(second, dtype)); }
  return mat2x4f(decodeQuad(first, dtype), decodeQuad(first.zwzw, dtype));
}
