// projected_log_prob: of each row of a bᵀ + bias the log-sum-exp by slices of columns, and one chosen element.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols], token [rows] -> logSums [rows, slices], logits [rows]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; token u32; f32 accumulate, f32 out
// grid      ceil(rows / tile) * slices workgroups, row blocks first, folded to 2-D, where tile = 4 SIDE; 256 threads,
//           16 products each, or 4
// override  SIDE = 16, or 8; B_TRANSPOSED = 1; alignment and types, see below
// memory    16 KiB workgroup; a group reads its rows of a once a tile of columns, and the rows of b once
// numerics  each inner product is summed in order, four terms at a time, or in four parts; running maximum, so no exp
//           overflows; finite for |logit| < 1e38
// twin      tests/reference/softmax.ts
// calls     matmul_rows, matmul_steps, tile_products, matmul_bias, running_log_sum

struct Params {
  rows: u32, rowBlocks: u32, cols: u32, inner: u32,
  slices: u32, slice: u32, // slices of this part of b, and their columns
  firstCol: u32, firstSlice: u32, allSlices: u32, // where the part lies in the whole
  aStride: u32, // inner
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

override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias

// What was found of a row with four more logits; writes that of its token if it is one of them.
fn include(found: vec2f, row: u32, cols: vec4u, values: vec4f) -> vec2f {
  // A token before this part of b wraps round to a column past its end.
  let wanted = token[min(row, params.rows - 1u)] - params.firstCol;
  let hits = (cols == vec4u(wanted)) & (cols < vec4u(params.cols));
  if (row < params.rows && any(hits)) { logits[row] = dot(select(vec4f(0.0), values, hits), vec4f(1.0)); }
  return includeQuad(found, values, cols);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let block = group.y * groups.x + group.x;
  let firstRow = block % params.rowBlocks * LINES;
  let slice = block / params.rowBlocks;
  if (slice >= params.slices) { return; }
  let end = min((slice + 1u) * params.slice, params.cols);
  let i = firstLine(thread);
  let row = firstRow + i;
  // Of rows row + SIDE m, over this thread's columns; where steps are sliced, m is 0 alone.
  var found0 = vec2f(LOWEST, 0.0);
  var found1 = found0;
  var found2 = found0;
  var found3 = found0;
  for (var tile = slice * params.slice; tile < end; tile += LINES) {
    let sums = tileSums(firstRow, tile, 0u, params.inner, thread);
    let cols = tileCols(thread) + tile;
    let shift = biasQuad(cols);
    found0 = include(found0, row, cols, sums[0] + shift);
    if (SLICES > 1u) { continue; }
    found1 = include(found1, row + SIDE, cols, sums[1] + shift);
    found2 = include(found2, row + 2u * SIDE, cols, sums[2] + shift);
    found3 = include(found3, row + 3u * SIDE, cols, sums[3] + shift);
  }
  // What a column of threads found of a line has a four of its own: a write to a part of a four may touch all of it.
  let at = i * SIDE + threadCol(thread);
  tiles[at] = vec4f(found0, 0.0, 0.0);
  if (SLICES == 1u) {
    tiles[at + SIDE * SIDE] = vec4f(found1, 0.0, 0.0);
    tiles[at + 2u * SIDE * SIDE] = vec4f(found2, 0.0, 0.0);
    tiles[at + 3u * SIDE * SIDE] = vec4f(found3, 0.0, 0.0);
  }
  workgroupBarrier();
  if (thread >= LINES || firstRow + thread >= params.rows) { return; }
  var largest = LOWEST;
  for (var column = 0u; column < SIDE; column++) { largest = max(largest, tiles[thread * SIDE + column].x); }
  var sum = 0.0;
  for (var column = 0u; column < SIDE; column++) {
    let part = tiles[thread * SIDE + column];
    sum += part.y * exp(part.x - largest);
  }
  logSums[(firstRow + thread) * params.allSlices + params.firstSlice + slice] = largest + log(sum);
}
