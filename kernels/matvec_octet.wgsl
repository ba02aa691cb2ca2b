// matvec_octet: matvec for rows of whole octets of words; a lane takes eight f32 or sixteen halves of b at a time.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols] -> y [rows, cols];
//           inner a multiple of 8, or of 16 where b is of a half type
// types     a f32; b f32, f16 or bf16; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(cols / 16) workgroups, folded to 2-D; LANES threads, one subgroup
// override  LANES = 8 (the subgroup size), ROWS = 1 (at most 8, at least rows); the rest see below
// memory    no workgroup memory, no barrier; reads b once, each load of a serves 16 columns
// numerics  each lane sums every LANES-th octet of words in order, then the subgroup adds the lanes
// twin      tests/reference/matmul.ts
// calls     matmul_params, octet, decode_octet, matvec_store

@group(0) @binding(0) var<storage, read> a: array<Octet>;
@group(0) @binding(1) var<storage, read> b: array<Octet>;
@group(0) @binding(2) var<storage, read> bias: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

// What a lane takes of a row at a time: eight elements, or sixteen where b is of a half type.
struct Span { first: mat2x4f, second: mat2x4f }

fn aSpan(start: u32, k: u32) -> Span {
  if (B_TYPE == 0u) { return Span(fromOctet(a[start + k]), mat2x4f()); }
  return Span(fromOctet(a[start + 2u * k]), fromOctet(a[start + 2u * k + 1u]));
}

fn bSpan(at: u32) -> Span {
  let words = octetWords(b[at]);
  if (B_TYPE == 0u) { return Span(decodeOctet(words.first, words.second, 0u), mat2x4f()); }
  return Span(decodeOctet(words.first, vec4u(), B_TYPE), decodeOctet(words.second, vec4u(), B_TYPE));
}

fn product(x: Span, w: Span) -> f32 {
  let sums = x.first[0] * w.first[0] + x.first[1] * w.first[1];
  if (B_TYPE == 0u) { return dot(sums, vec4f(1.0)); }
  return dot(sums + x.second[0] * w.second[0] + x.second[1] * w.second[1], vec4f(1.0));
}

// Products of a row with the columns that have a span each at `at`, one after the other: few values wait in registers.
fn products(x: Span, at: vec4u) -> vec4f {
  return vec4f(product(x, bSpan(at.x)), product(x, bSpan(at.y)), product(x, bSpan(at.z)), product(x, bSpan(at.w)));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let col = (group.y * groups.x + group.x) * 16u;
  if (col >= params.cols) { return; }
  // Octets of words in a row of b, and octets of elements of a for each: parameters are read here once, as within the
  // loop the driver would gather them lane by lane.
  let shift = select(4u, 3u, B_TYPE == 0u);
  let spans = params.inner >> shift;
  let endSpan = params.end >> shift;
  let aOctets = params.aStride >> 3u;
  let lastRow = params.rows - 1u;
  let lastCol = vec4u(params.cols - 1u);
  let cols = vec4u(0u, 1u, 2u, 3u) + col;
  let at0 = min(cols, lastCol) * spans;
  let at1 = min(cols + 4u, lastCol) * spans;
  let at2 = min(cols + 8u, lastCol) * spans;
  let at3 = min(cols + 12u, lastCol) * spans;
  var sums: array<mat4x4f, 8>; // sums[r][i][j]: row r, column col + 4 i + j
  for (var k = (params.first >> shift) + lane; k < endSpan; k += LANES) {
    if (ROWS == 1u) {
      // Written out: Mesa's CPU driver does not unroll a loop as long as this, and reaches a sum whose index is not
      // constant lane by lane. More rows are few there, and written out they take twice as long to compile.
      let x = aSpan(0u, k);
      sums[0] += mat4x4f(products(x, at0 + k), products(x, at1 + k), products(x, at2 + k),
                         products(x, at3 + k));
      continue;
    }
    var x: array<Span, 8>;
    for (var r = 0u; r < ROWS; r++) { x[r] = aSpan(min(r, lastRow) * aOctets, k); }
    for (var i = 0u; i < 4u; i++) {
      let c = min(cols + 4u * i, lastCol) * spans + k;
      let w0 = bSpan(c.x);
      let w1 = bSpan(c.y);
      let w2 = bSpan(c.z);
      let w3 = bSpan(c.w);
      for (var r = 0u; r < ROWS; r++) {
        sums[r][i] += vec4f(product(x[r], w0), product(x[r], w1), product(x[r], w2), product(x[r], w3));
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { storeSums(r, col, sums[r], lane); }
}
