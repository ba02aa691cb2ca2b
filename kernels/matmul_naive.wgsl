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
// calls     matrix_element, matmul_bias, matmul_store

struct Params { rows: u32, rowBlocks: u32, cols: u32, inner: u32, aStride: u32, yStride: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bias: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override A_TRANSPOSED: bool = false;
override B_TRANSPOSED: bool = false;
override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias
override ACCUMULATE: bool = false; // adds to y
override SYMMETRIC: bool = false; // writes the lower half and its mirror image

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let output = (group.y * groups.x + group.x) * 64u + thread;
  let row = output / params.cols;
  let col = output % params.cols;
  if (row >= params.rows) { return; }
  var sum = 0.0;
  for (var k = 0u; k < params.inner; k++) {
    let x = a[select(row * params.aStride + k, k * params.aStride + row, A_TRANSPOSED)];
    sum += x * bAt(select(k * params.cols + col, col * params.inner + k, B_TRANSPOSED));
  }
  store(row, col, params.scale * sum + biasAt(col));
}
