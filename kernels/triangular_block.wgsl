// triangular_block: one block of rows of a triangular solve, X := inverse(L) (X - what earlier blocks gave).
//
// shapes    lower [size, size]; inverse [size / 64, 64, 64]; x [size, columns / 4] vec4, in place
// types     f32 in, f32 accumulate, f32 out
// grid      columns / 4 workgroups; thread i owns row start + i for 4 right-hand sides
// override  none; 64 threads, as many as a block has rows
// memory    1 KiB workgroup; the block's rows (L) or columns (L') of the factor are read once a workgroup
// numerics  sums of up to size terms, then a dot product of 64 with the inverted block
// twin      tests/reference/cholesky.ts

// L x = b has first = 0, end = start and element (i, t) at i * size + t; L' x = b has first = start + 64, end = size
// and element (i, t) at t * size + i.
struct Params {
  start: u32, first: u32, end: u32, columns: u32, rowStride: u32, innerStride: u32, blockRow: u32, blockInner: u32
}

const BLOCK = 64u;

@group(0) @binding(0) var<storage, read> lower: array<f32>;
@group(0) @binding(1) var<storage, read> inverse: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

var<workgroup> rest: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let row = params.start + i;
  let stride = params.columns / 4u;
  let own = row * stride + group.x;
  var sum = vec4f();
  for (var t = params.first; t < params.end; t++) {
    sum += lower[row * params.rowStride + t * params.innerStride] * x[t * stride + group.x];
  }
  rest[i] = x[own] - sum;
  workgroupBarrier();
  // The inverted block has zeros on its other side, so that the whole row may be taken.
  let block = params.start * BLOCK + i * params.blockRow;
  var value = vec4f();
  for (var t = 0u; t < BLOCK; t++) { value += inverse[block + t * params.blockInner] * rest[t]; }
  x[own] = value;
}
