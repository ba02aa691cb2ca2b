// matrix_octet: eight elements of b at once.
//
// needs     b: array<u32>, bOctets: array<Octet>, bHalves: array<HalfOctet>, B_TYPE
// calls     octet, decode_octet, matrix_block

// Elements 8 i to 8 i + 7 of b.
fn bOctet(i: u32) -> mat2x4f {
  if (B_TYPE == 0u) { return fromOctet(bOctets[i]); }
  if (B_TYPE < 3u) { return decodeOctet(halfWords(bHalves[i]), vec4u(), B_TYPE); }
  let block = bScale(8u * i);
  let codes = bCodesOctet(8u * i);
  return mat2x4f(block.x * codes[0] + block.y, block.x * codes[1] + block.y);
}
