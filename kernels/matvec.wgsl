// matvec: y = scale * a b^T + bias for up to 8 rows; a subgroup makes 16 columns, its lanes along the inner dimension.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols] -> y [rows, cols]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(cols / 16) workgroups, folded to 2-D; LANES threads, one subgroup
// override  LANES = 8 (the subgroup size), ROWS = 1 (at most 8, at least rows); the rest see below
// memory    no workgroup memory, no barrier; reads b once, each load of a serves 16 columns
// numerics  each lane sums every LANES-th quad in order, then the subgroup adds the lanes
// twin      tests/reference/matmul.ts
// calls     matmul_params, quad_operands, matrix_element, matrix_quad, matvec_store

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override A_ALIGNED: bool = false; // inner is a multiple of 4
override B_ALIGNED: bool = false; // likewise

// Steps k to k + 3 of one row of a, zero past the end.
fn aSteps(row: u32, k: u32) -> vec4f {
  let start = min(row, params.rows - 1u) * params.aStride;
  if (A_ALIGNED) { return aQuads[(start + k) >> 2u]; }
  var steps: vec4f;
  for (var i = 0u; i < 4u; i++) {
    steps[i] = select(a[start + min(k + i, params.inner - 1u)], 0.0, k + i >= params.inner);
  }
  return steps;
}

// Steps k to k + 3 of four columns, one column a matrix column. Past the end the last step repeats: a is zero there.
fn bSteps(col: u32, k: u32) -> mat4x4f {
  var quads: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    let start = min(col + i, params.cols - 1u) * params.inner;
    if (B_ALIGNED) {
      quads[i] = bQuad(start + k);
    } else {
      for (var j = 0u; j < 4u; j++) { quads[i][j] = bAt(start + min(k + j, params.inner - 1u)); }
    }
  }
  return quads;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let col = (group.y * groups.x + group.x) * 16u;
  if (col >= params.cols) { return; }
  var sums: array<mat4x4f, 8>; // sums[r][i][j]: row r, column col + 4 i + j
  for (var k = params.first + 4u * lane; k < params.end; k += 4u * LANES) {
    let b0 = bSteps(col, k);
    let b1 = bSteps(col + 4u, k);
    let b2 = bSteps(col + 8u, k);
    let b3 = bSteps(col + 12u, k);
    for (var r = 0u; r < ROWS; r++) {
      let x = aSteps(r, k);
      sums[r] += mat4x4f(x * b0, x * b1, x * b2, x * b3);
    }
  }
  for (var r = 0u; r < ROWS; r++) { storeSums(r, col, sums[r], lane); }
}
