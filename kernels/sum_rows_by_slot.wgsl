// sum_rows_by_slot: y[j] = sum over the i with slot[i] = j of weights[i] * x[source[i]].
//
// shapes    x [count, width], source [pairs], slot [pairs], weights [pairs] -> y [rows, width], rows = slots
// types     f32, source and slot u32, f32 accumulate
// grid      rows workgroups, folded to 2-D; WG threads share a row, each owns every WG-th column
// override  WG = 64
// memory    no workgroup memory; scans slot once a row, accumulates in y
// numerics  pairs are added in their order, so results repeat bit for bit; pairs out of range are skipped
// twin      tests/reference/row_moves.ts

struct Params { rows: u32, width: u32, count: u32, pairs: u32, hasWeights: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read> slot: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  for (var i = lane; i < params.width; i += WG) { y[start + i] = 0.0; }
  for (var pair = 0u; pair < params.pairs; pair++) {
    if (slot[pair] != row || source[pair] >= params.count) { continue; }
    let first = source[pair] * params.width;
    var factor = 1.0;
    if (params.hasWeights != 0u) { factor = weights[pair]; }
    for (var i = lane; i < params.width; i += WG) { y[start + i] += factor * x[first + i]; }
  }
}
