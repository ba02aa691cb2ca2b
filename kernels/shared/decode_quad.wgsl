// decode_quad: four numbers behind stored elements.
//
// needs     nothing

// Four elements of a weight whose words were loaded, four of f32 or two of a half type; dtype 0 f32, 1 f16, 2 bf16.
fn decodeQuad(words: vec4u, dtype: u32) -> vec4f {
  if (dtype == 0u) { return bitcast<vec4f>(words); }
  if (dtype == 1u) { return vec4f(unpack2x16float(words.x), unpack2x16float(words.y)); }
  return bitcast<vec4f>(vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}
