// matrix_element: element of b.
//
// needs     b: array<u32>, B_TYPE
// calls     decode, matrix_block

fn bAt(i: u32) -> f32 {
  if (B_TYPE < 3u) { return decode(b[select(i, i >> 1u, B_TYPE != 0u)], i, B_TYPE); }
  let block = bScale(i);
  return block.x * bCodes(i & ~3u)[i & 3u] + block.y;
}
