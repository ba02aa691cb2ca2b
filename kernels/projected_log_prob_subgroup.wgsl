// projected_log_prob_subgroup: projected_log_prob, 16 rows a subgroup of 8 lanes; a is shared by broadcast.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols], token [rows] -> logSums [rows, slices], logits [rows]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; token u32; f32 accumulate, f32 out
// grid      ceil(rows / 16) * slices workgroups, row blocks first, folded to 2-D; 8 threads, one subgroup
// override  alignment and type, see below
// memory    no workgroup memory, no barrier; a group reads the rows of b of its slice once, 64 at a time
// numerics  each inner product is summed in order; running maximum, so no exp overflows; finite for |logit| < 1e38
// twin      tests/reference/softmax.ts
// calls     matmul_steps, running_log_sum

struct Params {
  rows: u32, cols: u32, inner: u32,
  slices: u32, slice: u32, // slices of this part of b, and their columns
  firstCol: u32, firstSlice: u32, allSlices: u32, // where the part lies in the whole
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> aQuads: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read> bPairs: array<vec2u>;
@group(0) @binding(4) var<storage, read> bQuads: array<vec4u>;
@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read> token: array<u32>;
@group(0) @binding(7) var<storage, read_write> logSums: array<f32>;
@group(0) @binding(8) var<storage, read_write> logits: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

const B_TRANSPOSED = true;
override B_ALIGNED: bool = false; // inner is a multiple of 4
override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias

// Steps k to k + 3 of one row of a, zero past the end.
fn aSteps(row: u32, k: u32) -> vec4f {
  let r = min(row, params.rows - 1u);
  if (B_ALIGNED) { return aQuads[(r * params.inner + k) >> 2u]; }
  var steps: vec4f;
  for (var i = 0u; i < 4u; i++) {
    let at = min(k + i, params.inner - 1u);
    steps[i] = select(a[r * params.inner + at], 0.0, at < k + i);
  }
  return steps;
}

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
  var sum = 0.0;
  for (var k = 0u; k < params.inner; k += 4u) { sum += (bSteps(col, k) * aSteps(row, k)).x; }
  logits[row] = sum + biasQuad(col).x;
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let block = group.y * groups.x + group.x;
  let rowBlocks = (params.rows + 15u) / 16u;
  let row = block % rowBlocks * 16u;
  let slice = block / rowBlocks;
  if (slice >= params.slices) { return; }
  let first = slice * params.slice;
  let end = min(first + params.slice, params.cols);
  var found: array<vec2f, 16>;
  for (var i = 0u; i < 16u; i++) { found[i] = vec2f(LOWEST, 0.0); }
  for (var tile = first; tile < end; tile += 64u) {
    let col = tile + 4u * lane;
    // Zeros are written out: the compiler sets a variable without a value to zero once, not once a turn of the loop.
    // Constant indices and no loop over rows: a variable index would move the sums from registers to memory.
    var lo = array<vec4f, 16>();
    var hi = array<vec4f, 16>();
    for (var k = 0u; k < params.inner; k += 4u) {
      let a0 = aSteps(row + lane, k);
      let a1 = aSteps(row + lane + 8u, k);
      let bLo = bSteps(col, k);
      let bHi = bSteps(col + 32u, k);
      { let x = subgroupBroadcast(a0, 0u); lo[0] += bLo * x; hi[0] += bHi * x; }
      { let x = subgroupBroadcast(a0, 1u); lo[1] += bLo * x; hi[1] += bHi * x; }
      { let x = subgroupBroadcast(a0, 2u); lo[2] += bLo * x; hi[2] += bHi * x; }
      { let x = subgroupBroadcast(a0, 3u); lo[3] += bLo * x; hi[3] += bHi * x; }
      { let x = subgroupBroadcast(a0, 4u); lo[4] += bLo * x; hi[4] += bHi * x; }
      { let x = subgroupBroadcast(a0, 5u); lo[5] += bLo * x; hi[5] += bHi * x; }
      { let x = subgroupBroadcast(a0, 6u); lo[6] += bLo * x; hi[6] += bHi * x; }
      { let x = subgroupBroadcast(a0, 7u); lo[7] += bLo * x; hi[7] += bHi * x; }
      { let x = subgroupBroadcast(a1, 0u); lo[8] += bLo * x; hi[8] += bHi * x; }
      { let x = subgroupBroadcast(a1, 1u); lo[9] += bLo * x; hi[9] += bHi * x; }
      { let x = subgroupBroadcast(a1, 2u); lo[10] += bLo * x; hi[10] += bHi * x; }
      { let x = subgroupBroadcast(a1, 3u); lo[11] += bLo * x; hi[11] += bHi * x; }
      { let x = subgroupBroadcast(a1, 4u); lo[12] += bLo * x; hi[12] += bHi * x; }
      { let x = subgroupBroadcast(a1, 5u); lo[13] += bLo * x; hi[13] += bHi * x; }
      { let x = subgroupBroadcast(a1, 6u); lo[14] += bLo * x; hi[14] += bHi * x; }
      { let x = subgroupBroadcast(a1, 7u); lo[15] += bLo * x; hi[15] += bHi * x; }
    }
    let biasLo = biasQuad(col);
    let biasHi = biasQuad(col + 32u);
    found[0] = includeQuad(includeQuad(found[0], lo[0] + biasLo, col), hi[0] + biasHi, col + 32u);
    found[1] = includeQuad(includeQuad(found[1], lo[1] + biasLo, col), hi[1] + biasHi, col + 32u);
    found[2] = includeQuad(includeQuad(found[2], lo[2] + biasLo, col), hi[2] + biasHi, col + 32u);
    found[3] = includeQuad(includeQuad(found[3], lo[3] + biasLo, col), hi[3] + biasHi, col + 32u);
    found[4] = includeQuad(includeQuad(found[4], lo[4] + biasLo, col), hi[4] + biasHi, col + 32u);
    found[5] = includeQuad(includeQuad(found[5], lo[5] + biasLo, col), hi[5] + biasHi, col + 32u);
    found[6] = includeQuad(includeQuad(found[6], lo[6] + biasLo, col), hi[6] + biasHi, col + 32u);
    found[7] = includeQuad(includeQuad(found[7], lo[7] + biasLo, col), hi[7] + biasHi, col + 32u);
    found[8] = includeQuad(includeQuad(found[8], lo[8] + biasLo, col), hi[8] + biasHi, col + 32u);
    found[9] = includeQuad(includeQuad(found[9], lo[9] + biasLo, col), hi[9] + biasHi, col + 32u);
    found[10] = includeQuad(includeQuad(found[10], lo[10] + biasLo, col), hi[10] + biasHi, col + 32u);
    found[11] = includeQuad(includeQuad(found[11], lo[11] + biasLo, col), hi[11] + biasHi, col + 32u);
    found[12] = includeQuad(includeQuad(found[12], lo[12] + biasLo, col), hi[12] + biasHi, col + 32u);
    found[13] = includeQuad(includeQuad(found[13], lo[13] + biasLo, col), hi[13] + biasHi, col + 32u);
    found[14] = includeQuad(includeQuad(found[14], lo[14] + biasLo, col), hi[14] + biasHi, col + 32u);
    found[15] = includeQuad(includeQuad(found[15], lo[15] + biasLo, col), hi[15] + biasHi, col + 32u);
  }
  for (var i = 0u; i < 16u; i++) { finish(row + i, slice, found[i], lane); }
  pick(row + lane, first, end);
  pick(row + lane + 8u, first, end);
}
