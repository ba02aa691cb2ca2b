// matmul_tile: y = scale * a b + bias, 64 x 64 outputs a workgroup, operands staged in workgroup memory.
//
// shapes    a [rows, inner] ([inner, rows] if A_TRANSPOSED), b [inner, cols] ([cols, inner] if B_TRANSPOSED),
//           bias [cols] -> y [rows, cols]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(rows / 64) * ceil(cols / 64) workgroups, row blocks first, folded to 2-D; 256 threads, 16 outputs each
// override  layout, type and epilogue, see below
// memory    8.3 kB workgroup; a group reads its 64 rows and columns once, neighbour threads neighbour elements
// numerics  each inner product is summed in order
// twin      tests/reference/matmul.ts
// calls     matmul_params, matmul_layout, element_operands, matrix_element, matmul_bias, matmul_store

const TILE = 64u;
const DEPTH = 16u; // steps of the inner dimension staged at once
const STRIDE = TILE + 1u; // one more than the tile, so that a column of it spreads over all banks
var<workgroup> aTile: array<f32, DEPTH * STRIDE>;
var<workgroup> bTile: array<f32, DEPTH * STRIDE>;

// Elements i, i + 256, ... of both tiles; zeros past the ends.
fn stage(row: u32, col: u32, k: u32, thread: u32) {
  for (var i = thread; i < DEPTH * TILE; i += 256u) {
    let aStep = select(i % DEPTH, i / TILE, A_TRANSPOSED);
    let aRow = select(i / DEPTH, i % TILE, A_TRANSPOSED);
    var value = 0.0;
    if (k + aStep < params.inner && row + aRow < params.rows) {
      let line = select(row + aRow, k + aStep, A_TRANSPOSED);
      value = a[line * params.aStride + select(k + aStep, row + aRow, A_TRANSPOSED)];
    }
    aTile[aStep * STRIDE + aRow] = value;
    let bStep = select(i / TILE, i % DEPTH, B_TRANSPOSED);
    let bCol = select(i % TILE, i / DEPTH, B_TRANSPOSED);
    value = 0.0;
    if (k + bStep < params.inner && col + bCol < params.cols) {
      let at = select((k + bStep) * params.cols + col + bCol, (col + bCol) * params.inner + k + bStep, B_TRANSPOSED);
      value = bAt(at);
    }
    bTile[bStep * STRIDE + bCol] = value;
  }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let block = group.y * groups.x + group.x;
  let row = block % params.rowBlocks * TILE;
  let col = block / params.rowBlocks * TILE;
  if (col >= params.cols || (SYMMETRIC && col > row)) { return; }
  let tileRow = thread / 16u;
  let tileCol = thread % 16u;
  var sums: mat4x4f; // sums[i][j]: row tileRow + 16 i, column tileCol + 16 j
  for (var k = params.first; k < params.end; k += DEPTH) {
    stage(row, col, k, thread);
    workgroupBarrier();
    for (var step = 0u; step < DEPTH; step++) {
      let at = step * STRIDE;
      let i = at + tileRow;
      let j = at + tileCol;
      let x = vec4f(aTile[i], aTile[i + 16u], aTile[i + 32u], aTile[i + 48u]);
      let w = vec4f(bTile[j], bTile[j + 16u], bTile[j + 32u], bTile[j + 48u]);
      sums += mat4x4f(w * x.x, w * x.y, w * x.z, w * x.w);
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let c = col + tileCol + 16u * j;
      store(row + tileRow + 16u * i, c, params.scale * sums[i][j] + biasAt(min(c, params.cols - 1u)));
    }
  }
}
