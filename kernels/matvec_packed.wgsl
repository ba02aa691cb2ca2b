// matvec_packed: matvec for a packed b; a lane takes 32 elements of a row of b at a time, which share a scale or two.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols] -> y [rows, cols]; inner is a multiple of 32
// types     a f32; b packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(cols / 16) workgroups, folded to 2-D; LANES threads, one subgroup
// override  LANES = 8 (the subgroup size), ROWS = 1 (at most 8, at least rows); the rest see below
// memory    no workgroup memory, no barrier; reads b once, each load of a serves 16 columns
// numerics  codes are summed before they are scaled; a lane sums every LANES-th 32, then the subgroup adds the lanes
// twin      tests/reference/matmul.ts
// calls     matmul_params, octet, matrix_block, matvec_store

@group(0) @binding(0) var<storage, read> a: array<Octet>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bPairs: array<vec2u>;
@group(0) @binding(3) var<storage, read> bHalves: array<HalfOctet>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

// 32 elements of a row of a, four a matrix column, and the sums of their halves.
struct Span { lo: mat4x4f, hi: mat4x4f, totals: vec2f }

// 32 codes of a row of b, and scale and offset of their halves.
struct Codes { lo: mat4x4f, hi: mat4x4f, scales: mat2x2f }

fn sixteen(at: u32) -> mat4x4f {
  let first = fromOctet(a[at]);
  let second = fromOctet(a[at + 1u]);
  return mat4x4f(first[0], first[1], second[0], second[1]);
}

fn total(x: mat4x4f) -> f32 { return dot(x[0] + x[1] + x[2] + x[3], vec4f(1.0)); }

fn aSpan(at: u32) -> Span {
  let lo = sixteen(at);
  let hi = sixteen(at + 2u);
  return Span(lo, hi, vec2f(total(lo), total(hi)));
}

fn unsigned(word: u32) -> vec4f { return vec4f(bitcast<vec4i>((vec4u(word) >> BYTES) & vec4u(255u))); }

// Numbers in the four bytes of each word.
fn bytes(words: vec4u) -> mat4x4f {
  return mat4x4f(unsigned(words.x), unsigned(words.y), unsigned(words.z), unsigned(words.w));
}

fn signed(word: u32) -> vec4f { return vec4f(bitcast<vec4i>(vec4u(word) << (24u - BYTES)) >> vec4u(24u)); }

fn signedBytes(words: vec4u) -> mat4x4f {
  return mat4x4f(signed(words.x), signed(words.y), signed(words.z), signed(words.w));
}

// Half bytes of two words, one word's low ones before its high ones.
fn nibbles(x: u32, y: u32) -> vec4u { return vec4u(x, x >> 4u, y, y >> 4u) & vec4u(0x0f0f0f0fu); }

fn highBits(word: u32) -> vec4u { return vec4u(word << 4u, word << 2u, word, word >> 2u) & vec4u(0x30303030u); }

// Codes of elements i to i + 31, i a multiple of 32.
fn bCodes32(i: u32) -> Codes {
  let at = i & 255u;
  let start = (i >> 8u) * groupWords() + headWords();
  let scale = bScale(i);
  if (B_TYPE == 5u) {
    let half = (start + (at >> 2u)) >> 2u;
    let lo = signedBytes(halfWords(bHalves[half]));
    return Codes(lo, signedBytes(halfWords(bHalves[half + 1u])), mat2x2f(scale, scale));
  }
  if (B_TYPE == 7u) {
    let pair = (start + (at >> 3u)) >> 1u;
    let high = bPairs[(start + 32u + (at >> 4u)) >> 1u];
    let lo = nibbles(bPairs[pair].x, bPairs[pair].y) | highBits(high.x);
    let hi = nibbles(bPairs[pair + 1u].x, bPairs[pair + 1u].y) | highBits(high.y);
    return Codes(bytes(lo), bytes(hi), mat2x2f(scale, bScale(i + 16u)));
  }
  let words = halfWords(bHalves[(start + (at >> 3u)) >> 2u]);
  return Codes(bytes(nibbles(words.x, words.y)), bytes(nibbles(words.z, words.w)), mat2x2f(scale, scale));
}

fn products(x: mat4x4f, codes: mat4x4f) -> vec4f {
  return x[0] * codes[0] + x[1] * codes[1] + x[2] * codes[2] + x[3] * codes[3];
}

fn product(x: Span, w: Codes) -> f32 {
  let lo = products(x.lo, w.lo);
  let hi = products(x.hi, w.hi);
  if (B_TYPE < 7u) {
    return w.scales[0].x * dot(lo + hi, vec4f(1.0)) + w.scales[0].y * (x.totals.x + x.totals.y);
  }
  return dot(w.scales[0], vec2f(dot(lo, vec4f(1.0)), x.totals.x)) +
    dot(w.scales[1], vec2f(dot(hi, vec4f(1.0)), x.totals.y));
}

// Products of a row with the columns whose codes start at `at`, one after the other: few values wait in registers.
fn fourProducts(x: Span, at: vec4u) -> vec4f {
  return vec4f(product(x, bCodes32(at.x)), product(x, bCodes32(at.y)), product(x, bCodes32(at.z)),
               product(x, bCodes32(at.w)));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let col = (group.y * groups.x + group.x) * 16u;
  if (col >= params.cols) { return; }
  // Parameters are read here once: within the loop the driver would gather them lane by lane.
  let inner = params.inner;
  let end = params.end;
  let lastRow = params.rows - 1u;
  let lastCol = vec4u(params.cols - 1u);
  let aStride = params.aStride;
  let cols = vec4u(0u, 1u, 2u, 3u) + col;
  let at0 = min(cols, lastCol) * inner;
  let at1 = min(cols + 4u, lastCol) * inner;
  let at2 = min(cols + 8u, lastCol) * inner;
  let at3 = min(cols + 12u, lastCol) * inner;
  var sums: array<mat4x4f, 8>; // sums[r][i][j]: row r, column col + 4 i + j
  for (var k = params.first + 32u * lane; k < end; k += 32u * LANES) {
    if (ROWS == 1u) {
      // Written out for one row, as in matvec_octet.
      let x = aSpan(k >> 3u);
      sums[0] += mat4x4f(fourProducts(x, at0 + k), fourProducts(x, at1 + k), fourProducts(x, at2 + k),
                         fourProducts(x, at3 + k));
      continue;
    }
    var x: array<Span, 8>;
    for (var r = 0u; r < ROWS; r++) { x[r] = aSpan((min(r, lastRow) * aStride + k) >> 3u); }
    for (var i = 0u; i < 4u; i++) {
      let at = min(cols + 4u * i, lastCol) * inner + k;
      let w0 = bCodes32(at.x);
      let w1 = bCodes32(at.y);
      let w2 = bCodes32(at.z);
      let w3 = bCodes32(at.w);
      for (var r = 0u; r < ROWS; r++) {
        sums[r][i] += vec4f(product(x[r], w0), product(x[r], w1), product(x[r], w2), product(x[r], w3));
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { storeSums(r, col, sums[r], lane); }
}
