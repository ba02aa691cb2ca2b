// matmul_naive: y = scale * a b + bias, one output a thread; the version to read, and to measure the others against.
//
// shapes    a [rows, inner] ([inner, rows] if A_TRANSPOSED), b [inner, cols] ([cols, inner] if B_TRANSPOSED),
//           bias [cols] -> y [rows, cols]
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(rows * cols / 64) workgroups, folded to 2-D; 64 threads
// override  layout, type and epilogue, see below
// memory    no workgroup memory; a thread reads one row and one column
// numerics  each inner product is summed in order
// twin      tests/reference/matmul.ts
// calls     matmul_params, matmul_layout, matrix_element, matmul_bias, matmul_store

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bias: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let output = (group.y * groups.x + group.x) * 64u + thread;
  let row = output / params.cols;
  let col = output % params.cols;
  if (row >= params.rows) { return; }
  var sum = 0.0;
  for (var k = params.first; k < params.end; k++) {
    let x = a[select(row * params.aStride + k, k * params.aStride + row, A_TRANSPOSED)];
    sum += x * bAt(select(k * params.cols + col, col * params.inner + k, B_TRANSPOSED));
  }
  store(row, col, params.scale * sum + biasAt(col));
}
