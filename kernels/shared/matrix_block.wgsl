// matrix_block: scale and codes of elements of a packed b, laid out as src/checkpoint/device_blocks.ts says.
//
// needs     b: array<u32>, B_TYPE (3 q4_0, 4 q4_1, 5 q8_0, 6 q4_k, 7 q6_k)

const BYTES = vec4u(0u, 8u, 16u, 24u);

// Words of a group of 256 values, and of the scales at its head.
fn groupWords() -> u32 {
  if (B_TYPE == 4u) { return 40u; }
  if (B_TYPE == 5u) { return 68u; }
  return select(36u, 54u, B_TYPE == 7u);
}

fn headWords() -> u32 {
  if (B_TYPE == 4u) { return 8u; }
  return select(4u, 6u, B_TYPE == 7u);
}

// Scale and offset of the block of element i: 32 elements, or 16 of q6_k. An element is scale * code + offset.
fn bScale(i: u32) -> vec2f {
  let head = (i >> 8u) * groupWords();
  let block = (i >> 5u) & 7u;
  if (B_TYPE == 4u) { return unpack2x16float(b[head + block]); }
  if (B_TYPE == 6u) {
    let low = b[head + 1u + (block >> 2u)] >> (8u * (block & 3u));
    let high = b[head + 3u] >> (4u * block);
    let parts = vec2f(f32((low & 15u) | ((high & 3u) << 4u)), f32(((low >> 4u) & 15u) | ((high & 12u) << 2u)));
    return unpack2x16float(b[head]) * parts * vec2f(1.0, -1.0);
  }
  if (B_TYPE == 7u) {
    let part = bitcast<i32>(b[head + (block >> 1u)] << (24u - ((i >> 1u) & 24u))) >> 24u;
    let scale = unpack2x16float(b[head + 4u]).x * f32(part);
    return vec2f(scale, -32.0 * scale);
  }
  let scale = unpack2x16float(b[head + (block >> 1u)])[block & 1u];
  return vec2f(scale, select(0.0, -8.0 * scale, B_TYPE == 3u));
}

// Codes of elements i to i + 3, i a multiple of 4.
fn bCodes(i: u32) -> vec4f {
  let start = (i >> 8u) * groupWords() + headWords();
  let at = i & 255u;
  if (B_TYPE == 5u) {
    let shifted = vec4u(b[start + (at >> 2u)]) << (24u - BYTES);
    return vec4f(bitcast<vec4i>(shifted) >> vec4u(24u));
  }
  var codes = (vec4u(b[start + (at >> 3u)] >> (i & 4u)) >> BYTES) & vec4u(15u);
  if (B_TYPE == 7u) {
    let high = (vec4u(b[start + 32u + (at >> 4u)] >> ((i >> 1u) & 6u)) >> BYTES) & vec4u(3u);
    codes |= high << vec4u(4u);
  }
  return vec4f(bitcast<vec4i>(codes));
}

// Codes of elements i to i + 7, i a multiple of 8.
fn bCodesOctet(i: u32) -> mat2x4f {
  let start = (i >> 8u) * groupWords() + headWords();
  let at = i & 255u;
  if (B_TYPE == 5u) {
    let first = vec4u(b[start + (at >> 2u)]) << (24u - BYTES);
    let second = vec4u(b[start + (at >> 2u) + 1u]) << (24u - BYTES);
    return mat2x4f(vec4f(bitcast<vec4i>(first) >> vec4u(24u)), vec4f(bitcast<vec4i>(second) >> vec4u(24u)));
  }
  let word = b[start + (at >> 3u)];
  var first = (vec4u(word) >> BYTES) & vec4u(15u);
  var second = (vec4u(word >> 4u) >> BYTES) & vec4u(15u);
  if (B_TYPE == 7u) {
    let high = b[start + 32u + (at >> 4u)] >> ((i >> 1u) & 4u);
    first |= ((vec4u(high) >> BYTES) & vec4u(3u)) << vec4u(4u);
    second |= ((vec4u(high >> 2u) >> BYTES) & vec4u(3u)) << vec4u(4u);
  }
  return mat2x4f(vec4f(bitcast<vec4i>(first)), vec4f(bitcast<vec4i>(second)));
}
