// matmul_subgroup_octet: matmul_subgroup for a product a b^T whose rows are whole octets; eight steps at a time.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols] -> y [rows, cols];
//           inner a multiple of 8, cols and yStride of 4
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(rows / 16) * ceil(cols / 64) workgroups, row blocks first, folded to 2-D; 8 threads, one subgroup
// override  type and epilogue, see below
// memory    no workgroup memory, no barrier; a group reads its 16 rows and 64 columns once
// numerics  each inner product is summed in order, eight terms at a time
// twin      tests/reference/matmul.ts
// calls     matmul_params, octet, matrix_octet, broadcast_octets, matmul_bias

@group(0) @binding(0) var<storage, read> a: array<Octet>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bOctets: array<Octet>;
@group(0) @binding(3) var<storage, read> bHalves: array<HalfOctet>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

fn storeQuad(row: u32, col: u32, sums: vec4f) {
  if (row >= params.rows || col >= params.cols) { return; }
  var value = params.scale * sums;
  if (BIAS_TYPE < 3u) { value += vec4f(biasAt(col), biasAt(col + 1u), biasAt(col + 2u), biasAt(col + 3u)); }
  let at = (row * params.yStride + col) >> 2u;
  if (ACCUMULATE) { value += y[at]; }
  y[at] = value;
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let block = group.y * groups.x + group.x;
  let row = block % params.rowBlocks * 16u;
  let firstCol = block / params.rowBlocks * 64u;
  if (firstCol >= params.cols) { return; }
  // Parameters are read here once: within the loop the driver would gather them lane by lane.
  let octets = params.inner >> 3u;
  let endOctet = params.end >> 3u;
  let aOctets = params.aStride >> 3u;
  let lastRow = params.rows - 1u;
  let col = firstCol + 4u * lane;
  let aUpper = min(row + lane, lastRow) * aOctets;
  let aLower = min(row + lane + 8u, lastRow) * aOctets;
  let cols = vec4u(0u, 1u, 2u, 3u) + col;
  let bLo = min(cols, vec4u(params.cols - 1u)) * octets;
  let bHi = min(cols + 32u, vec4u(params.cols - 1u)) * octets;
  var sums: BlockSums;
  for (var i = params.first >> 3u; i < endOctet; i++) {
    let upper = fromOctet(a[aUpper + i]);
    let lower = fromOctet(a[aLower + i]);
    addOctets(&sums, upper, lower, bSteps(bLo + i), bSteps(bHi + i));
  }
  storeQuad(row + 0u, col, sums.lo[0]); storeQuad(row + 0u, col + 32u, sums.hi[0]);
  storeQuad(row + 1u, col, sums.lo[1]); storeQuad(row + 1u, col + 32u, sums.hi[1]);
  storeQuad(row + 2u, col, sums.lo[2]); storeQuad(row + 2u, col + 32u, sums.hi[2]);
  storeQuad(row + 3u, col, sums.lo[3]); storeQuad(row + 3u, col + 32u, sums.hi[3]);
  storeQuad(row + 4u, col, sums.lo[4]); storeQuad(row + 4u, col + 32u, sums.hi[4]);
  storeQuad(row + 5u, col, sums.lo[5]); storeQuad(row + 5u, col + 32u, sums.hi[5]);
  storeQuad(row + 6u, col, sums.lo[6]); storeQuad(row + 6u, col + 32u, sums.hi[6]);
  storeQuad(row + 7u, col, sums.lo[7]); storeQuad(row + 7u, col + 32u, sums.hi[7]);
  storeQuad(row + 8u, col, sums.lo[8]); storeQuad(row + 8u, col + 32u, sums.hi[8]);
  storeQuad(row + 9u, col, sums.lo[9]); storeQuad(row + 9u, col + 32u, sums.hi[9]);
  storeQuad(row + 10u, col, sums.lo[10]); storeQuad(row + 10u, col + 32u, sums.hi[10]);
  storeQuad(row + 11u, col, sums.lo[11]); storeQuad(row + 11u, col + 32u, sums.hi[11]);
  storeQuad(row + 12u, col, sums.lo[12]); storeQuad(row + 12u, col + 32u, sums.hi[12]);
  storeQuad(row + 13u, col, sums.lo[13]); storeQuad(row + 13u, col + 32u, sums.hi[13]);
  storeQuad(row + 14u, col, sums.lo[14]); storeQuad(row + 14u, col + 32u, sums.hi[14]);
  storeQuad(row + 15u, col, sums.lo[15]); storeQuad(row + 15u, col + 32u, sums.hi[15]);
}
