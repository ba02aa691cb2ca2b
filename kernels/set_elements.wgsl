// set_elements: into[index[i]] = value[i], or += value[i].
//
// shapes    index [count], value [count], into [length]
// types     f32, index u32
// grid      one thread for an element, folded to 2-D
// override  WG = 64
// memory    no workgroup memory
// numerics  indices are distinct; one from length up is skipped
// twin      tests/reference/sub_values.ts

struct Params { count: u32, length: u32, accumulate: u32 }

@group(0) @binding(0) var<storage, read> index: array<u32>;
@group(0) @binding(1) var<storage, read> value: array<f32>;
@group(0) @binding(2) var<storage, read_write> into: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * WG + lane;
  if (i >= params.count) { return; }
  let at = index[i];
  if (at >= params.length) { return; }
  var result = value[i];
  if (params.accumulate != 0u) { result += into[at]; }
  into[at] = result;
}
