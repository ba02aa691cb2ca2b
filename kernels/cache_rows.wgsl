// cache_rows: cachedK[index[i]] = k[i], cachedV[index[i]] = v[i].
//
// shapes    k, v [rows, width], index [rows], cachedK, cachedV [count, width]
// types     f32, index u32
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64
// memory    no workgroup memory; reads and writes each row once
// numerics  exact; indices are distinct, and one from count up is skipped
// twin      tests/reference/row_moves.ts

struct Params { rows: u32, width: u32, count: u32 }

@group(0) @binding(0) var<storage, read> k: array<f32>;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> cachedK: array<f32>;
@group(0) @binding(4) var<storage, read_write> cachedV: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let place = index[row];
  if (place >= params.count) { return; }
  for (var i = lane; i < params.width; i += WG) {
    cachedK[place * params.width + i] = k[row * params.width + i];
    cachedV[place * params.width + i] = v[row * params.width + i];
  }
}
