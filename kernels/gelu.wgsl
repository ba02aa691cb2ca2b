// gelu: y = x * Phi(x), with the normal distribution function or its tanh approximation.
//
// shapes    x [count] -> y [count]
// types     f32
// grid      one thread for 4 elements, folded to 2-D
// override  WG = 64, EXACT
// memory    no workgroup memory; reads x once, writes y once
// numerics  finite for finite x; exact: erfc by a fit good to 1.2e-7 relative; tanh: no cancellation in either tail
// twin      tests/reference/activations.ts
// calls     gelu_cdf

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
override EXACT: bool = false; // the normal distribution function itself; false: its tanh approximation

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * WG + lane;
  if (i >= params.quads) { return; }
  let value = x[i];
  if (EXACT) {
    y[i] = value * normalCdf(value);
  } else {
    y[i] = value * tanhCdf(value);
  }
}
