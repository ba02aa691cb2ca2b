// projected_log_prob: of each row of a bᵀ + bias the log-sum-exp by slices of columns, and one chosen element.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols], token [rows] -> logSums [rows, slices], logits [rows]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; token u32; f32 accumulate, f32 out
// grid      ceil(rows / 64) * slices workgroups, row blocks first, folded to 2-D; 256 threads, 16 products each
// override  B_TYPE = 0, BIAS_TYPE = 3
// memory    16.4 kB workgroup; a group reads its 64 rows of a once a tile of 64 columns, and the rows of b once
// numerics  each inner product is summed in order; running maximum, so no exp overflows; finite for |logit| < 1e38
// twin      tests/reference/softmax.ts
// calls     matrix_element, matmul_bias, running_log_sum

struct Params {
  rows: u32, rowBlocks: u32, cols: u32, inner: u32,
  slices: u32, slice: u32, // slices of this part of b, and their columns
  firstCol: u32, firstSlice: u32, allSlices: u32, // where the part lies in the whole
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bias: array<u32>;
@group(0) @binding(3) var<storage, read> token: array<u32>;
@group(0) @binding(4) var<storage, read_write> logSums: array<f32>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias

const TILE = 64u;
const DEPTH = 16u; // steps of the inner dimension staged at once
const STRIDE = TILE + 1u; // one more than the tile, so that a column of it spreads over all banks
var<workgroup> aTile: array<f32, DEPTH * STRIDE>;
var<workgroup> bTile: array<f32, DEPTH * STRIDE>;
var<workgroup> partials: array<vec2f, 1024>; // 16 threads for each of 64 rows

// Elements i, i + 256, ... of both tiles; zeros past the ends.
fn stage(row: u32, col: u32, k: u32, thread: u32) {
  for (var i = thread; i < DEPTH * TILE; i += 256u) {
    let step = i % DEPTH;
    let line = i / DEPTH;
    let at = step * STRIDE + line;
    aTile[at] = 0.0;
    bTile[at] = 0.0;
    if (k + step >= params.inner) { continue; }
    if (row + line < params.rows) { aTile[at] = a[(row + line) * params.inner + k + step]; }
    if (col + line < params.cols) { bTile[at] = bAt((col + line) * params.inner + k + step); }
  }
}

// Writes the logit of a row's token if it lies in the slice.
fn pick(row: u32, first: u32, end: u32) {
  if (row >= params.rows) { return; }
  let col = token[row] - params.firstCol; // a token before the part wraps round to a column past its end
  if (col < first || col >= end) { return; }
  var sum = 0.0;
  for (var k = 0u; k < params.inner; k++) { sum += a[row * params.inner + k] * bAt(col * params.inner + k); }
  logits[row] = sum + biasAt(col);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let block = group.y * groups.x + group.x;
  let row = block % params.rowBlocks * TILE;
  let slice = block / params.rowBlocks;
  if (slice >= params.slices) { return; }
  let first = slice * params.slice;
  let end = min(first + params.slice, params.cols);
  let tileRow = thread / 16u;
  let tileCol = thread % 16u;
  var found: array<vec2f, 4>; // of rows tileRow + 16 i, over this thread's columns
  for (var i = 0u; i < 4u; i++) { found[i] = vec2f(LOWEST, 0.0); }
  for (var tile = first; tile < end; tile += TILE) {
    // Zeros are written out: the compiler sets a variable without a value to zero once, not once a turn of the loop.
    var sums = mat4x4f(); // sums[i][j]: row tileRow + 16 i, column 4 tileCol + j
    for (var k = 0u; k < params.inner; k += DEPTH) {
      stage(row, tile, k, thread);
      workgroupBarrier();
      for (var step = 0u; step < DEPTH; step++) {
        let i = step * STRIDE + tileRow;
        let j = step * STRIDE + 4u * tileCol;
        let x = vec4f(aTile[i], aTile[i + 16u], aTile[i + 32u], aTile[i + 48u]);
        let w = vec4f(bTile[j], bTile[j + 1u], bTile[j + 2u], bTile[j + 3u]);
        sums += mat4x4f(w * x.x, w * x.y, w * x.z, w * x.w);
      }
      workgroupBarrier();
    }
    let col = tile + 4u * tileCol;
    var columns: vec4f;
    for (var j = 0u; j < 4u; j++) { columns[j] = biasAt(min(col + j, params.cols - 1u)); }
    for (var i = 0u; i < 4u; i++) { found[i] = includeQuad(found[i], sums[i] + columns, col); }
  }
  for (var i = 0u; i < 4u; i++) { partials[(tileRow + 16u * i) * 16u + tileCol] = found[i]; }
  workgroupBarrier();
  if (thread >= TILE || row + thread >= params.rows) { return; }
  var largest = LOWEST;
  for (var i = 0u; i < 16u; i++) { largest = max(largest, partials[thread * 16u + i].x); }
  var sum = 0.0;
  for (var i = 0u; i < 16u; i++) {
    let part = partials[thread * 16u + i];
    sum += part.y * exp(part.x - largest);
  }
  logSums[(row + thread) * params.allSlices + params.firstSlice + slice] = largest + log(sum);
  pick(row + thread, first, end);
}
