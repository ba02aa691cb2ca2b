// matvec_pairs: matvec where threads run side by side: a subgroup makes 2 columns, so that many subgroups read at once.
//
// shapes    a [rows, inner], b [cols, inner], bias [cols] -> y [rows, cols]; inner a multiple of 8
// types     a f32; b f32, f16, bf16 or packed; bias f32, f16, bf16 or none; f32 accumulate, f32 out
// grid      ceil(cols / (2 SUBGROUPS)) workgroups, folded to 2-D; WG = SUBGROUPS * LANES threads
// override  WG = 32, LANES = 8 (the subgroup size), ROWS = 1 (1, 2, 4 or 8, at least rows); the rest see below
// memory    no workgroup memory, no barrier; reads b once, each load of a serves 2 columns
// numerics  each lane sums every LANES-th octet in order, then the subgroup adds the lanes
// twin      tests/reference/matmul.ts
// calls     matmul_params, octet, matrix_octet, matvec_store

@group(0) @binding(0) var<storage, read> a: array<Octet>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> bOctets: array<Octet>;
@group(0) @binding(3) var<storage, read> bHalves: array<HalfOctet>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

override WG: u32 = 32u;
override LANES: u32 = 8u;
override ROWS: u32 = 1u;

// Octets of two columns.
struct Pair { first: mat2x4f, second: mat2x4f }

// Products of octet k of a row with those of two columns.
fn products(row: u32, k: u32, w: Pair) -> vec2f {
  let x = fromOctet(a[min(row, params.rows - 1u) * (params.aStride >> 3u) + k]);
  return vec2f(dot(x[0], w.first[0]) + dot(x[1], w.first[1]), dot(x[0], w.second[0]) + dot(x[1], w.second[1]));
}

fn storePair(row: u32, col: u32, sums: vec2f, lane: u32) {
  let total = subgroupAdd(sums);
  if (lane < 2u) { storeSum(row, col + lane, select(total.x, total.y, lane == 1u)); }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let lane = thread % LANES;
  // Subgroups past the last column repeat it and store nothing: a subgroup adds up where all of its workgroup come.
  let start = 2u * (WG / LANES) * (group.y * groups.x + group.x);
  if (start >= params.cols) { return; }
  let col = start + 2u * (thread / LANES);
  let octets = params.inner >> 3u;
  let end = params.end >> 3u;
  let first = min(col, params.cols - 1u) * octets;
  let second = min(col + 1u, params.cols - 1u) * octets;
  // Constant indices: one that a loop changes would move the sums from registers to memory.
  var sums: array<vec2f, 8>;
  for (var k = (params.first >> 3u) + lane; k < end; k += LANES) {
    let w = Pair(bOctet(first + k), bOctet(second + k));
    sums[0] += products(0u, k, w);
    if (ROWS > 1u) { sums[1] += products(1u, k, w); }
    if (ROWS > 2u) {
      sums[2] += products(2u, k, w);
      sums[3] += products(3u, k, w);
    }
    if (ROWS > 4u) {
      sums[4] += products(4u, k, w);
      sums[5] += products(5u, k, w);
      sums[6] += products(6u, k, w);
      sums[7] += products(7u, k, w);
    }
  }
  storePair(0u, col, sums[0], lane);
  if (ROWS > 1u) { storePair(1u, col, sums[1], lane); }
  if (ROWS > 2u) {
    storePair(2u, col, sums[2], lane);
    storePair(3u, col, sums[3], lane);
  }
  if (ROWS > 4u) {
    storePair(4u, col, sums[4], lane);
    storePair(5u, col, sums[5], lane);
    storePair(6u, col, sums[6], lane);
    storePair(7u, col, sums[7], lane);
  }
}
