// matvec_packed: matvec for a packed b; a lane takes 16 elements of a row of b at a time, which share a scale.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols] -> y [rows, cols]; inner is a multiple of 32
// types     a f32; b packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(cols / 16) workgroups, folded to 2-D; LANES threads, one subgroup
// override  LANES = 8 (the subgroup size), ROWS = 1 (at most 8, at least rows); the rest see below
// memory    no workgroup memory, no barrier; reads b once, each load of a serves 16 columns
// numerics  codes are summed before they are scaled; a lane sums every LANES-th 16, then the subgroup adds the lanes
// twin      tests/reference/matmul.ts
// calls     matmul_params, quad_operands, matrix_block, matvec_store

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

// Steps k to k + 15 of one row of a, four a matrix column.
fn aSpan(row: u32, k: u32) -> mat4x4f {
  let at = (min(row, params.rows - 1u) * params.aStride + k) >> 2u;
  return mat4x4f(aQuads[at], aQuads[at + 1u], aQuads[at + 2u], aQuads[at + 3u]);
}

// Numbers in the four bytes of a word.
fn bytes(word: u32) -> vec4f { return vec4f(bitcast<vec4i>((vec4u(word) >> BYTES) & vec4u(255u))); }

fn signedBytes(word: u32) -> vec4f { return vec4f(bitcast<vec4i>(vec4u(word) << (24u - BYTES)) >> vec4u(24u)); }

// Codes of elements i to i + 15, i a multiple of 16.
fn bSpan(i: u32) -> mat4x4f {
  let at = i & 255u;
  let start = (i >> 8u) * groupWords() + headWords();
  if (B_TYPE == 5u) {
    let first = bPairs[(start >> 1u) + (at >> 3u)];
    let second = bPairs[(start >> 1u) + (at >> 3u) + 1u];
    return mat4x4f(signedBytes(first.x), signedBytes(first.y), signedBytes(second.x), signedBytes(second.y));
  }
  let pair = bPairs[(start >> 1u) + (at >> 4u)];
  var words = vec4u(pair.x, pair.x >> 4u, pair.y, pair.y >> 4u) & vec4u(0x0f0f0f0fu);
  if (B_TYPE == 7u) {
    let high = b[start + 32u + (at >> 4u)];
    words |= vec4u((high << 4u), (high << 2u), high, high >> 2u) & vec4u(0x30303030u);
  }
  return mat4x4f(bytes(words.x), bytes(words.y), bytes(words.z), bytes(words.w));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let col = (group.y * groups.x + group.x) * 16u;
  if (col >= params.cols) { return; }
  var sums: array<mat4x4f, 8>; // sums[r][i][j]: row r, column col + 4 i + j
  for (var k = 16u * lane; k < params.inner; k += 16u * LANES) {
    var x: array<mat4x4f, 8>;
    var totals: array<f32, 8>;
    for (var r = 0u; r < ROWS; r++) {
      x[r] = aSpan(r, k);
      totals[r] = dot(x[r] * vec4f(1.0), vec4f(1.0));
    }
    for (var i = 0u; i < 4u; i++) {
      for (var j = 0u; j < 4u; j++) {
        let at = min(col + 4u * i + j, params.cols - 1u) * params.inner + k;
        let codes = bSpan(at);
        let block = bScale(at);
        for (var r = 0u; r < ROWS; r++) {
          let products = dot(x[r][0], codes[0]) + dot(x[r][1], codes[1]) + dot(x[r][2], codes[2]) +
            dot(x[r][3], codes[3]);
          sums[r][i][j] += block.x * products + block.y * totals[r];
        }
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { storeSums(r, col, sums[r], lane); }
}
