// gelu_backward: dx = dy * (Phi(x) + x * Phi'(x)), with the normal distribution function or its tanh approximation.
//
// shapes    dy [count], x [count] -> dx [count]
// types     f32
// grid      one thread for 4 elements, folded to 2-D
// override  WG = 64, EXACT
// memory    no workgroup memory; reads dy and x once, writes dx once
// numerics  finite for finite operands with |dy| < 1e37
// twin      tests/reference/activations.ts

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
override EXACT: bool = false; // the normal distribution function itself; false: its tanh approximation

// Normal distribution function 0.5 erfc(-x / sqrt(2)) by a Chebyshev fit of erfc with relative error below 1.2e-7.
fn normalCdf(x: vec4f) -> vec4f {
  let z = abs(x) * 0.70710678;
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = vec4f(0.17087277);
  p = p * t - 0.82215223;
  p = p * t + 1.48851587;
  p = p * t - 1.13520398;
  p = p * t + 0.27886807;
  p = p * t - 0.18628806;
  p = p * t + 0.09678418;
  p = p * t + 0.37409196;
  p = p * t + 1.00002368;
  p = p * t - 1.26551223;
  let tail = 0.5 * t * exp(max(p - z * z, vec4f(-120.0)));
  return select(tail, 1.0 - tail, x >= vec4f(0.0));
}

// 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2 u)) with u = sqrt(2 / pi) (x + 0.044715 x^3), free of cancellation for x < 0.
// Beyond |x| = 10 the value is 0 or 1 in f32, and exp stays finite.
fn tanhCdf(x: vec4f) -> vec4f {
  let c = clamp(x, vec4f(-10.0), vec4f(10.0));
  return 1.0 / (1.0 + exp(-1.5957691 * c * (1.0 + 0.044715 * c * c)));
}

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
