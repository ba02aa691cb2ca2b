// silu_gated_backward: dgate = dy up s (1 + gate (1 - s)), dup = dy gate s with s = sigmoid(gate).
//
// shapes    dy [count], gate [count], up [count] -> dgate [count], dup [count]
// types     f32
// grid      one thread for 4 elements, folded to 2-D
// override  WG = 64
// memory    no workgroup memory; reads each operand once, writes both gradients once
// numerics  1 - s is sigmoid(-gate), free of cancellation
// calls     sigmoid
// twin      tests/reference/activations.ts

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> gate: array<vec4f>;
@group(0) @binding(2) var<storage, read> up: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dgate: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dup: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * WG + lane;
  if (i >= params.quads) { return; }
  let g = gate[i];
  let s = sigmoid(g);
  dgate[i] = dy[i] * up[i] * s * (1.0 + g * sigmoid(-g));
  dup[i] = dy[i] * g * s;
}
