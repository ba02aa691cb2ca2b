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
// calls     matmul_params, matmul_layout, quad_operands, matmul_steps, matmul_store

override A_ALIGNED: bool = false; // the contiguous dimension of a is a multiple of 4
override B_ALIGNED: bool = false; // likewise b

// Steps k to k + 3 of four rows, one row a matrix column, zero past the last step.
fn aSteps(row: u32, k: u32) -> mat4x4f {
  let width = select(params.inner, params.rows, A_TRANSPOSED);
  let at = select(k, row, A_TRANSPOSED);
  var quads: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    let start = params.aStride * select(min(row + i, params.rows - 1u), min(k + i, params.inner - 1u), A_TRANSPOSED);
    if (A_ALIGNED) {
      quads[i] = aQuads[(start + min(at, width - 4u)) >> 2u];
    } else {
      for (var j = 0u; j < 4u; j++) { quads[i][j] = a[start + min(at + j, width - 1u)]; }
    }
  }
  if (A_TRANSPOSED) { quads = transpose(quads); }
  let real = vec4u(k, k + 1u, k + 2u, k + 3u) < vec4u(params.inner);
  for (var i = 0u; i < 4u; i++) { quads[i] = select(vec4f(0.0), quads[i], real); }
  return quads;
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
  let columns = biasQuad(col);
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) { store(row + i, col + j, params.scale * sums[i][j] + columns[j]); }
  }
}
