// matmul_subgroup: y = scale * a b + bias, 16 x 64 outputs a subgroup of 8 lanes; a is shared by broadcast.
//
// shapes    a [rows, inner] ([inner, rows] if A_TRANSPOSED), b [inner, cols] ([cols, inner] if B_TRANSPOSED),
//           bias [cols] -> y [rows, cols]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(rows / 16) * ceil(cols / 64) workgroups, row blocks first, folded to 2-D; 8 threads, one subgroup
// override  layout, alignment, type and epilogue, see below
// memory    no workgroup memory, no barrier; a group reads its 16 rows and 64 columns once
// numerics  each inner product is summed in order
// twin      tests/reference/matmul.ts
// calls     matmul_params, quad_operands, matmul_steps, broadcast_quads, matmul_bias, matmul_store

override A_ALIGNED: bool = false; // the contiguous dimension of a is a multiple of 4

// Steps k to k + 3 of one row of a, zero past the end.
fn aSteps(row: u32, k: u32) -> vec4f {
  let r = min(row, params.rows - 1u);
  if (A_ALIGNED && !A_TRANSPOSED) { return aQuads[(r * params.aStride + k) >> 2u]; }
  var steps: vec4f;
  for (var i = 0u; i < 4u; i++) {
    let at = min(k + i, params.inner - 1u);
    steps[i] = select(a[select(r * params.aStride + at, at * params.aStride + r, A_TRANSPOSED)], 0.0, at < k + i);
  }
  return steps;
}

fn storeRow(row: u32, col: u32, lo: vec4f, hi: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    store(row, col + j, lo[j]);
    store(row, col + 32u + j, hi[j]);
  }
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let block = group.y * groups.x + group.x;
  let row = block % params.rowBlocks * 16u;
  let firstCol = block / params.rowBlocks * 64u;
  if (firstCol >= params.cols || (SYMMETRIC && firstCol > row + 15u)) { return; }
  let col = firstCol + 4u * lane;
  var sums: BlockSums;
  for (var k = params.first; k < params.end; k += 4u) {
    let upper = aSteps(row + lane, k);
    let lower = aSteps(row + lane + 8u, k);
    addQuads(&sums, upper, lower, bSteps(col, k), bSteps(col + 32u, k));
  }
  let cols = vec4u(0u, 1u, 2u, 3u) + col;
  let biasLo = biasQuad(cols);
  let biasHi = biasQuad(cols + 32u);
  storeRow(row + 0u, col, params.scale * sums.lo[0] + biasLo, params.scale * sums.hi[0] + biasHi);
  storeRow(row + 1u, col, params.scale * sums.lo[1] + biasLo, params.scale * sums.hi[1] + biasHi);
  storeRow(row + 2u, col, params.scale * sums.lo[2] + biasLo, params.scale * sums.hi[2] + biasHi);
  storeRow(row + 3u, col, params.scale * sums.lo[3] + biasLo, params.scale * sums.hi[3] + biasHi);
  storeRow(row + 4u, col, params.scale * sums.lo[4] + biasLo, params.scale * sums.hi[4] + biasHi);
  storeRow(row + 5u, col, params.scale * sums.lo[5] + biasLo, params.scale * sums.hi[5] + biasHi);
  storeRow(row + 6u, col, params.scale * sums.lo[6] + biasLo, params.scale * sums.hi[6] + biasHi);
  storeRow(row + 7u, col, params.scale * sums.lo[7] + biasLo, params.scale * sums.hi[7] + biasHi);
  storeRow(row + 8u, col, params.scale * sums.lo[8] + biasLo, params.scale * sums.hi[8] + biasHi);
  storeRow(row + 9u, col, params.scale * sums.lo[9] + biasLo, params.scale * sums.hi[9] + biasHi);
  storeRow(row + 10u, col, params.scale * sums.lo[10] + biasLo, params.scale * sums.hi[10] + biasHi);
  storeRow(row + 11u, col, params.scale * sums.lo[11] + biasLo, params.scale * sums.hi[11] + biasHi);
  storeRow(row + 12u, col, params.scale * sums.lo[12] + biasLo, params.scale * sums.hi[12] + biasHi);
  storeRow(row + 13u, col, params.scale * sums.lo[13] + biasLo, params.scale * sums.hi[13] + biasHi);
  storeRow(row + 14u, col, params.scale * sums.lo[14] + biasLo, params.scale * sums.hi[14] + biasHi);
  storeRow(row + 15u, col, params.scale * sums.lo[15] + biasLo, params.scale * sums.hi[15] + biasHi);
}
