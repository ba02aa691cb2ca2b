// projected_log_prob_subgroup: projected_log_prob, 16 rows a subgroup of 8 lanes; a is shared by broadcast.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols], token [rows] ->
//           logSums [rows, slices], logits [rows]; inner a multiple of 8
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; token u32; f32 accumulate, f32 out
// grid      ceil(rows / 16) * slices workgroups, row blocks first, folded to 2-D; 8 threads, one subgroup
// override  B_TYPE = 0, BIAS_TYPE = 3
// memory    no workgroup memory, no barrier; a group reads the rows of b of its slice once, 64 at a time
// numerics  each inner product is summed in order; running maximum, so no exp overflows; finite for |logit| < 1e38
// twin      tests/reference/softmax.ts
// calls     octet, matrix_octet, broadcast_octets, matmul_bias, running_log_sum

struct Params {
  rows: u32, rowBlocks: u32, cols: u32, inner: u32,
  slices: u32, slice: u32, // slices of this part of b, and their columns
  firstCol: u32, firstSlice: u32, allSlices: u32, // where the part lies in the whole
}
@group(0) @binding(0) var<storage, read> a: array<Octet>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bOctets: array<Octet>;
@group(0) @binding(3) var<storage, read> bHalves: array<HalfOctet>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read> token: array<u32>;
@group(0) @binding(6) var<storage, read_write> logSums: array<f32>;
@group(0) @binding(7) var<storage, read_write> logits: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias

// Writes the log-sum-exp of a row over the slice from what its lanes found.
fn finish(row: u32, slice: u32, found: vec2f, lane: u32) {
  let largest = subgroupMax(found.x);
  let sum = subgroupAdd(found.y * exp(found.x - largest));
  if (lane > 0u || row >= params.rows) { return; }
  logSums[row * params.allSlices + params.firstSlice + slice] = largest + log(sum);
}

// Writes the logit of a row's token if it lies in the slice.
fn pick(row: u32, first: u32, end: u32) {
  if (row >= params.rows) { return; }
  let col = token[row] - params.firstCol; // a token before the part wraps round to a column past its end
  if (col < first || col >= end) { return; }
  let octets = params.inner >> 3u;
  var sum = 0.0;
  for (var i = 0u; i < octets; i++) {
    let x = fromOctet(a[row * octets + i]);
    let w = bOctet(col * octets + i);
    sum += dot(x[0], w[0]) + dot(x[1], w[1]);
  }
  logits[row] = sum + biasAt(col);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let block = group.y * groups.x + group.x;
  let row = block % params.rowBlocks * 16u;
  let slice = block / params.rowBlocks;
  if (slice >= params.slices) { return; }
  let first = slice * params.slice;
  let end = min(first + params.slice, params.cols);
  let octets = params.inner >> 3u;
  let aUpper = min(row + lane, params.rows - 1u) * octets;
  let aLower = min(row + lane + 8u, params.rows - 1u) * octets;
  let lastCol = vec4u(params.cols - 1u);
  var found: array<vec2f, 16>;
  for (var i = 0u; i < 16u; i++) { found[i] = vec2f(LOWEST, 0.0); }
  for (var tile = first; tile < end; tile += 64u) {
    let col = tile + 4u * lane;
    let cols = vec4u(0u, 1u, 2u, 3u) + col;
    let lo = min(cols, lastCol);
    let hi = min(cols + 32u, lastCol);
    // Zeros are written out: the compiler sets a variable without a value to zero once, not once a turn of the loop.
    var sums = BlockSums();
    for (var i = 0u; i < octets; i++) {
      let upper = fromOctet(a[aUpper + i]);
      let lower = fromOctet(a[aLower + i]);
      addOctets(&sums, upper, lower, bSteps(lo * octets + i), bSteps(hi * octets + i));
    }
    let biasLo = biasQuad(lo);
    let biasHi = biasQuad(hi);
    found[0] = includeQuad(includeQuad(found[0], sums.lo[0] + biasLo, cols), sums.hi[0] + biasHi, cols + 32u);
    found[1] = includeQuad(includeQuad(found[1], sums.lo[1] + biasLo, cols), sums.hi[1] + biasHi, cols + 32u);
    found[2] = includeQuad(includeQuad(found[2], sums.lo[2] + biasLo, cols), sums.hi[2] + biasHi, cols + 32u);
    found[3] = includeQuad(includeQuad(found[3], sums.lo[3] + biasLo, cols), sums.hi[3] + biasHi, cols + 32u);
    found[4] = includeQuad(includeQuad(found[4], sums.lo[4] + biasLo, cols), sums.hi[4] + biasHi, cols + 32u);
    found[5] = includeQuad(includeQuad(found[5], sums.lo[5] + biasLo, cols), sums.hi[5] + biasHi, cols + 32u);
    found[6] = includeQuad(includeQuad(found[6], sums.lo[6] + biasLo, cols), sums.hi[6] + biasHi, cols + 32u);
    found[7] = includeQuad(includeQuad(found[7], sums.lo[7] + biasLo, cols), sums.hi[7] + biasHi, cols + 32u);
    found[8] = includeQuad(includeQuad(found[8], sums.lo[8] + biasLo, cols), sums.hi[8] + biasHi, cols + 32u);
    found[9] = includeQuad(includeQuad(found[9], sums.lo[9] + biasLo, cols), sums.hi[9] + biasHi, cols + 32u);
    found[10] = includeQuad(includeQuad(found[10], sums.lo[10] + biasLo, cols), sums.hi[10] + biasHi, cols + 32u);
    found[11] = includeQuad(includeQuad(found[11], sums.lo[11] + biasLo, cols), sums.hi[11] + biasHi, cols + 32u);
    found[12] = includeQuad(includeQuad(found[12], sums.lo[12] + biasLo, cols), sums.hi[12] + biasHi, cols + 32u);
    found[13] = includeQuad(includeQuad(found[13], sums.lo[13] + biasLo, cols), sums.hi[13] + biasHi, cols + 32u);
    found[14] = includeQuad(includeQuad(found[14], sums.lo[14] + biasLo, cols), sums.hi[14] + biasHi, cols + 32u);
    found[15] = includeQuad(includeQuad(found[15], sums.lo[15] + biasLo, cols), sums.hi[15] + biasHi, cols + 32u);
  }
  for (var i = 0u; i < 16u; i++) { finish(row + i, slice, found[i], lane); }
  pick(row + lane, first, end);
  pick(row + lane + 8u, first, end);
}
