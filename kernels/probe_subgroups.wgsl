// probe_subgroups: what every invocation of one workgroup finds out about its subgroup.
//
// shapes    y [WG, 4] = lane, subgroup size, sum of the subgroup's invocation indices, index of its lane 3
// types     u32 out
// grid      one workgroup
// override  WG = 64
// memory    writes 16 bytes an invocation
// numerics  sums are small integers in f32, so exact in any order
// twin      tests/reference/probes.ts

@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) index: u32, @builtin(subgroup_size) size: u32,
        @builtin(subgroup_invocation_id) lane: u32) {
  let sum = subgroupAdd(f32(index));
  let third = subgroupBroadcast(index, 3u);
  y[index] = vec4u(lane, size, u32(sum), third);
}
