// probe_read: sums of a block of quads a workgroup, neighbouring lanes reading neighbouring quads, to measure reading.
//
// shapes    x [quads, 4] -> y [groups * WG], lane l of group g sums quads g * WG * STEPS + l, + WG, ...
// types     f32 in, f32 accumulate, f32 out
// grid      ceil(quads / (WG * STEPS)) workgroups, folded to 2-D
// override  WG = 256, STEPS = 16
// memory    reads x once, 16 bytes a load; writes 1 / (4 * STEPS) of it
// numerics  plain sums in the order of the loads
// twin      tests/reference/probes.ts

struct Params { quads: u32, blocks: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 256u;
override STEPS: u32 = 16u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let block = group.y * groups.x + group.x;
  var sum = vec4f();
  for (var step = 0u; step < STEPS; step++) {
    let quad = (block * STEPS + step) * WG + lane;
    if (quad < params.quads) { sum += x[quad]; }
  }
  if (block < params.blocks) { y[block * WG + lane] = dot(sum, vec4f(1.0)); }
}
