// decode_octet: eight numbers behind stored elements.
//
// needs     nothing

// Four elements of a half type behind two words; dtype 1 f16, 2 bf16.
fn decodeHalves(words: vec2u, dtype: u32) -> vec4f {
  if (dtype == 1u) { return vec4f(unpack2x16float(words.x), unpack2x16float(words.y)); }
  return bitcast<vec4f>(vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}

// Eight elements whose words were loaded: eight of f32, or the first four of a half type; dtype 0 f32, 1 f16, 2 bf16.
fn decodeOctet(first: vec4u, second: vec4u, dtype: u32) -> mat2x4f {
  if (dtype == 0u) { return mat2x4f(bitcast<vec4f>(first), bitcast<vec4f>(second)); }
  return mat2x4f(decodeHalves(first.xy, dtype), decodeHalves(first.zw, dtype));
}
