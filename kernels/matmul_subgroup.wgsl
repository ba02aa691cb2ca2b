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
// calls     matmul_steps, matmul_store

struct Params { rows: u32, rowBlocks: u32, cols: u32, inner: u32, aStride: u32, yStride: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> aQuads: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read> bPairs: array<vec2u>;
@group(0) @binding(4) var<storage, read> bQuads: array<vec4u>;
@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override A_TRANSPOSED: bool = false;
override B_TRANSPOSED: bool = false;
override A_ALIGNED: bool = false; // the contiguous dimension of a is a multiple of 4
override B_ALIGNED: bool = false; // likewise b
override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias
override ACCUMULATE: bool = false; // adds to y
override SYMMETRIC: bool = false; // writes the lower half and its mirror image

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
  // Constant indices and no loop over rows: a variable index would move the sums from registers to memory.
  var lo: array<vec4f, 16>;
  var hi: array<vec4f, 16>;
  for (var k = 0u; k < params.inner; k += 4u) {
    let a0 = aSteps(row + lane, k);
    let a1 = aSteps(row + lane + 8u, k);
    let bLo = bSteps(col, k);
    let bHi = bSteps(col + 32u, k);
    { let x = subgroupBroadcast(a0, 0u); lo[0] += bLo * x; hi[0] += bHi * x; }
    { let x = subgroupBroadcast(a0, 1u); lo[1] += bLo * x; hi[1] += bHi * x; }
    { let x = subgroupBroadcast(a0, 2u); lo[2] += bLo * x; hi[2] += bHi * x; }
    { let x = subgroupBroadcast(a0, 3u); lo[3] += bLo * x; hi[3] += bHi * x; }
    { let x = subgroupBroadcast(a0, 4u); lo[4] += bLo * x; hi[4] += bHi * x; }
    { let x = subgroupBroadcast(a0, 5u); lo[5] += bLo * x; hi[5] += bHi * x; }
    { let x = subgroupBroadcast(a0, 6u); lo[6] += bLo * x; hi[6] += bHi * x; }
    { let x = subgroupBroadcast(a0, 7u); lo[7] += bLo * x; hi[7] += bHi * x; }
    { let x = subgroupBroadcast(a1, 0u); lo[8] += bLo * x; hi[8] += bHi * x; }
    { let x = subgroupBroadcast(a1, 1u); lo[9] += bLo * x; hi[9] += bHi * x; }
    { let x = subgroupBroadcast(a1, 2u); lo[10] += bLo * x; hi[10] += bHi * x; }
    { let x = subgroupBroadcast(a1, 3u); lo[11] += bLo * x; hi[11] += bHi * x; }
    { let x = subgroupBroadcast(a1, 4u); lo[12] += bLo * x; hi[12] += bHi * x; }
    { let x = subgroupBroadcast(a1, 5u); lo[13] += bLo * x; hi[13] += bHi * x; }
    { let x = subgroupBroadcast(a1, 6u); lo[14] += bLo * x; hi[14] += bHi * x; }
    { let x = subgroupBroadcast(a1, 7u); lo[15] += bLo * x; hi[15] += bHi * x; }
  }
  let biasLo = biasQuad(col);
  let biasHi = biasQuad(col + 32u);
  storeRow(row + 0u, col, params.scale * lo[0] + biasLo, params.scale * hi[0] + biasHi);
  storeRow(row + 1u, col, params.scale * lo[1] + biasLo, params.scale * hi[1] + biasHi);
  storeRow(row + 2u, col, params.scale * lo[2] + biasLo, params.scale * hi[2] + biasHi);
  storeRow(row + 3u, col, params.scale * lo[3] + biasLo, params.scale * hi[3] + biasHi);
  storeRow(row + 4u, col, params.scale * lo[4] + biasLo, params.scale * hi[4] + biasHi);
  storeRow(row + 5u, col, params.scale * lo[5] + biasLo, params.scale * hi[5] + biasHi);
  storeRow(row + 6u, col, params.scale * lo[6] + biasLo, params.scale * hi[6] + biasHi);
  storeRow(row + 7u, col, params.scale * lo[7] + biasLo, params.scale * hi[7] + biasHi);
  storeRow(row + 8u, col, params.scale * lo[8] + biasLo, params.scale * hi[8] + biasHi);
  storeRow(row + 9u, col, params.scale * lo[9] + biasLo, params.scale * hi[9] + biasHi);
  storeRow(row + 10u, col, params.scale * lo[10] + biasLo, params.scale * hi[10] + biasHi);
  storeRow(row + 11u, col, params.scale * lo[11] + biasLo, params.scale * hi[11] + biasHi);
  storeRow(row + 12u, col, params.scale * lo[12] + biasLo, params.scale * hi[12] + biasHi);
  storeRow(row + 13u, col, params.scale * lo[13] + biasLo, params.scale * hi[13] + biasHi);
  storeRow(row + 14u, col, params.scale * lo[14] + biasLo, params.scale * hi[14] + biasHi);
  storeRow(row + 15u, col, params.scale * lo[15] + biasLo, params.scale * hi[15] + biasHi);
}
