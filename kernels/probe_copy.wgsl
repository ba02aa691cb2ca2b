// probe_copy: y = x by quads, neighbouring lanes moving neighbouring quads, to measure copying and launching.
//
// shapes    x [quads, 4] -> y [quads, 4]
// types     f32 in, f32 out
// grid      ceil(quads / (WG * STEPS)) workgroups, folded to 2-D
// override  WG = 256, STEPS = 16
// memory    reads x once and writes y once, 16 bytes at a time
// numerics  none: bits are moved
// twin      tests/reference/probes.ts

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 256u;
override STEPS: u32 = 16u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let block = group.y * groups.x + group.x;
  for (var step = 0u; step < STEPS; step++) {
    let quad = (block * STEPS + step) * WG + lane;
    if (quad < params.quads) { y[quad] = x[quad]; }
  }
}
