// gelu_backward: dx = dy * (Phi(x) + x * Phi'(x)), with the normal distribution function or its tanh approximation.
//
// shapes    dy [count], x [count] -> dx [count]
// types     f32
// grid      one thread for 4 elements, folded to 2-D
// override  WG = 64, EXACT
// memory    no workgroup memory; reads dy and x once, writes dx once
// numerics  finite for finite operands with |dy| < 1e37
// twin      tests/reference/activations.ts
// calls     gelu_cdf

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
override EXACT: bool = false; // the normal distribution function itself; false: its tanh approximation

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * WG + lane;
  if (i >= params.quads) { return; }
  let value = x[i];
  // Phi' is 0 in f32 beyond 10 (tanh) and beyond 14 (exact): clamping keeps x * Phi' from overflowing.
  let c = clamp(value, vec4f(-14.0), vec4f(14.0));
  if (EXACT) {
    let density = 0.39894228 * exp(-0.5 * c * c);
    dx[i] = dy[i] * (normalCdf(value) + c * density);
  } else {
    let phi = tanhCdf(value);
    let slope = 1.5957691 * (1.0 + 0.134145 * c * c);
    dx[i] = dy[i] * (phi + c * phi * tanhCdf(-value) * slope);
  }
}
