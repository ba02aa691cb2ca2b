// matrix_quad: four elements of b at once.
//
// needs     b: array<u32>, bPairs: array<vec2u>, bQuads: array<vec4u>, B_TYPE
// calls     matrix_block

// Four elements of b from i on, i a multiple of 4.
fn bQuad(i: u32) -> vec4f {
  if (B_TYPE == 0u) { return bitcast<vec4f>(bQuads[i >> 2u]); }
  if (B_TYPE > 2u) {
    let block = bScale(i);
    return block.x * bCodes(i) + block.y;
  }
  let pair = bPairs[i >> 2u];
  if (B_TYPE == 1u) { return vec4f(unpack2x16float(pair.x), unpack2x16float(pair.y)); }
  return bitcast<vec4f>(vec4u(pair.x << 16u, pair.x & 0xffff0000u, pair.y << 16u, pair.y & 0xffff0000u));
}
