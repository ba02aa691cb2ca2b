// matmul_subgroup_octet: matmul_subgroup for a product a b^T whose rows are whole octets; eight steps at a time.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols] -> y [rows, cols]; inner a multiple of 8, cols and yStride of 4
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(rows / 16) * ceil(cols / 64) workgroups, row blocks first, folded to 2-D; 8 threads, one subgroup
// override  type and epilogue, see below
// memory    no workgroup memory, no barrier; a group reads its 16 rows and 64 columns once
// numerics  each inner product is summed in order, eight terms at a time
// twin      tests/reference/matmul.ts
// calls     octet, decode_octet, matrix_octet, matmul_bias

struct Params { rows: u32, rowBlocks: u32, cols: u32, inner: u32, aStride: u32, yStride: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> a: array<Octet>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bOctets: array<Octet>;
@group(0) @binding(3) var<storage, read> bHalves: array<HalfOctet>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias
override ACCUMULATE: bool = false; // adds to y

// Eight steps of four columns, one step a matrix column.
struct Steps { first: mat4x4f, second: mat4x4f }

fn bSteps(at: u32, stride: u32) -> Steps {
  let c0 = bOctet(at);
  let c1 = bOctet(at + stride);
  let c2 = bOctet(at + 2u * stride);
  let c3 = bOctet(at + 3u * stride);
  return Steps(transpose(mat4x4f(c0[0], c1[0], c2[0], c3[0])), transpose(mat4x4f(c0[1], c1[1], c2[1], c3[1])));
}

fn products(steps: Steps, first: vec4f, second: vec4f) -> vec4f { return steps.first * first + steps.second * second; }

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
  let aOctets = params.aStride >> 3u;
  let lastRow = params.rows - 1u;
  let lastQuad = params.cols - 4u;
  let col = firstCol + 4u * lane;
  let aUpper = min(row + lane, lastRow) * aOctets;
  let aLower = min(row + lane + 8u, lastRow) * aOctets;
  let bLo = min(col, lastQuad) * octets;
  let bHi = min(col + 32u, lastQuad) * octets;
  // Constant indices and no loop over rows: a variable index would move the sums from registers to memory.
  var lo: array<vec4f, 16>;
  var hi: array<vec4f, 16>;
  for (var i = 0u; i < octets; i++) {
    let upper = fromOctet(a[aUpper + i]);
    let lower = fromOctet(a[aLower + i]);
    let l = bSteps(bLo + i, octets);
    let h = bSteps(bHi + i, octets);
    { let s = subgroupBroadcast(upper[0], 0u); let t = subgroupBroadcast(upper[1], 0u);
      lo[0] += products(l, s, t); hi[0] += products(h, s, t); }
    { let s = subgroupBroadcast(upper[0], 1u); let t = subgroupBroadcast(upper[1], 1u);
      lo[1] += products(l, s, t); hi[1] += products(h, s, t); }
    { let s = subgroupBroadcast(upper[0], 2u); let t = subgroupBroadcast(upper[1], 2u);
      lo[2] += products(l, s, t); hi[2] += products(h, s, t); }
    { let s = subgroupBroadcast(upper[0], 3u); let t = subgroupBroadcast(upper[1], 3u);
      lo[3] += products(l, s, t); hi[3] += products(h, s, t); }
    { let s = subgroupBroadcast(upper[0], 4u); let t = subgroupBroadcast(upper[1], 4u);
      lo[4] += products(l, s, t); hi[4] += products(h, s, t); }
    { let s = subgroupBroadcast(upper[0], 5u); let t = subgroupBroadcast(upper[1], 5u);
      lo[5] += products(l, s, t); hi[5] += products(h, s, t); }
    { let s = subgroupBroadcast(upper[0], 6u); let t = subgroupBroadcast(upper[1], 6u);
      lo[6] += products(l, s, t); hi[6] += products(h, s, t); }
    { let s = subgroupBroadcast(upper[0], 7u); let t = subgroupBroadcast(upper[1], 7u);
      lo[7] += products(l, s, t); hi[7] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 0u); let t = subgroupBroadcast(lower[1], 0u);
      lo[8] += products(l, s, t); hi[8] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 1u); let t = subgroupBroadcast(lower[1], 1u);
      lo[9] += products(l, s, t); hi[9] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 2u); let t = subgroupBroadcast(lower[1], 2u);
      lo[10] += products(l, s, t); hi[10] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 3u); let t = subgroupBroadcast(lower[1], 3u);
      lo[11] += products(l, s, t); hi[11] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 4u); let t = subgroupBroadcast(lower[1], 4u);
      lo[12] += products(l, s, t); hi[12] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 5u); let t = subgroupBroadcast(lower[1], 5u);
      lo[13] += products(l, s, t); hi[13] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 6u); let t = subgroupBroadcast(lower[1], 6u);
      lo[14] += products(l, s, t); hi[14] += products(h, s, t); }
    { let s = subgroupBroadcast(lower[0], 7u); let t = subgroupBroadcast(lower[1], 7u);
      lo[15] += products(l, s, t); hi[15] += products(h, s, t); }
  }
  storeQuad(row + 0u, col, lo[0]); storeQuad(row + 0u, col + 32u, hi[0]);
  storeQuad(row + 1u, col, lo[1]); storeQuad(row + 1u, col + 32u, hi[1]);
  storeQuad(row + 2u, col, lo[2]); storeQuad(row + 2u, col + 32u, hi[2]);
  storeQuad(row + 3u, col, lo[3]); storeQuad(row + 3u, col + 32u, hi[3]);
  storeQuad(row + 4u, col, lo[4]); storeQuad(row + 4u, col + 32u, hi[4]);
  storeQuad(row + 5u, col, lo[5]); storeQuad(row + 5u, col + 32u, hi[5]);
  storeQuad(row + 6u, col, lo[6]); storeQuad(row + 6u, col + 32u, hi[6]);
  storeQuad(row + 7u, col, lo[7]); storeQuad(row + 7u, col + 32u, hi[7]);
  storeQuad(row + 8u, col, lo[8]); storeQuad(row + 8u, col + 32u, hi[8]);
  storeQuad(row + 9u, col, lo[9]); storeQuad(row + 9u, col + 32u, hi[9]);
  storeQuad(row + 10u, col, lo[10]); storeQuad(row + 10u, col + 32u, hi[10]);
  storeQuad(row + 11u, col, lo[11]); storeQuad(row + 11u, col + 32u, hi[11]);
  storeQuad(row + 12u, col, lo[12]); storeQuad(row + 12u, col + 32u, hi[12]);
  storeQuad(row + 13u, col, lo[13]); storeQuad(row + 13u, col + 32u, hi[13]);
  storeQuad(row + 14u, col, lo[14]); storeQuad(row + 14u, col + 32u, hi[14]);
  storeQuad(row + 15u, col, lo[15]); storeQuad(row + 15u, col + 32u, hi[15]);
}
