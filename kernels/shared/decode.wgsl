// decode: number behind a stored element.
//
// needs     nothing

// Element i of a weight whose word was loaded; type 0 f32, 1 f16, 2 bf16 (half types are two a word).
fn decode(word: u32, i: u32, dtype: u32) -> f32 {
  if (dtype == 0u) { return bitcast<f32>(word); }
  if (dtype == 1u) { return unpack2x16float(word)[i & 1u]; }
  return bitcast<f32>(select(word << 16u, word & 0xffff0000u, (i & 1u) == 1u));
}
