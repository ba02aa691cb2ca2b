// silu_gated: y = gate * sigmoid(gate) * up, the inner activation of a gated MLP.
//
// shapes    gate [count], up [count] -> y [count]
// types     f32
// grid      one thread for 4 elements, folded to 2-D
// override  WG = 64
// memory    no workgroup memory; reads both operands once, writes y once
// numerics  finite where gate * up is
// calls     sigmoid
// twin      tests/reference/activations.ts

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> gate: array<vec4f>;
@group(0) @binding(1) var<storage, read> up: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * WG + lane;
  if (i >= params.quads) { return; }
  y[i] = gate[i] * sigmoid(gate[i]) * up[i];
}
