// matmul_register: y = scale * a b + bias, 4 x 4 outputs a thread held in registers, nothing shared.
//
// shapes    a [rows, inner] ([inner, rows] if A_TRANSPOSED), b [inner, cols] ([cols, inner] if B_TRANSPOSED),
//           bias [cols] -> y [rows, cols]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(rows / 16) * ceil(cols / 32) workgroups, row blocks first, folded to 2-D; 4 x 8 threads
// override  layout, alignment, type and epilogue, see below
// memory    no workgroup memory, no barrier, no subgroup operation
// numerics  each inner product is summed in order
// twin      tests/reference/matmul.ts
// calls     matmul_params, quad_operands, matmul_rows, matmul_steps, matmul_bias, matmul_store

fn storeRow(row: u32, col: u32, sums: vec4f) {
  store(row, col, sums.x);
  store(row, col + 1u, sums.y);
  store(row, col + 2u, sums.z);
  store(row, col + 3u, sums.w);
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let block = group.y * groups.x + group.x;
  let row = block % params.rowBlocks * 16u + thread / 8u * 4u;
  let col = block / params.rowBlocks * 32u + thread % 8u * 4u;
  if (row >= params.rows || col >= params.cols || (SYMMETRIC && col > row + 3u)) { return; }
  var sums: mat4x4f;
  for (var k = params.first; k < params.end; k += 4u) { sums += bSteps(col, k) * aSteps(row, k); }
  let columns = biasQuad(vec4u(0u, 1u, 2u, 3u) + col);
  storeRow(row, col, params.scale * sums[0] + columns);
  storeRow(row + 1u, col, params.scale * sums[1] + columns);
  storeRow(row + 2u, col, params.scale * sums[2] + columns);
  storeRow(row + 3u, col, params.scale * sums[3] + columns);
}
