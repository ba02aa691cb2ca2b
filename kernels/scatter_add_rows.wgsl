// scatter_add_rows: into[target[i]] += scale * x[slot[i]].
//
// shapes    x [slots, width], slot [rows], target [rows], into [count, width]
// types     f32, slot and target u32
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64
// memory    no workgroup memory; reads each row of x once a use, reads and writes rows of into once
// numerics  targets are distinct, so no sum depends on order; pairs out of range are skipped
// twin      tests/reference/row_moves.ts

struct Params { rows: u32, width: u32, count: u32, slots: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> slot: array<u32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> into: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  if (slot[row] >= params.slots || targets[row] >= params.count) { return; }
  let source = slot[row] * params.width;
  let goal = targets[row] * params.width;
  for (var i = lane; i < params.width; i += WG) {
    into[goal + i] += params.scale * x[source + i];
  }
}
