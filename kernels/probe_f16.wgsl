// probe_f16: y = x * x + x in half precision; the wrapper puts `enable f16;` before this text.
//
// shapes    x [count] -> y [count]
// types     f32 in, rounded to f16, f16 arithmetic, f32 out
// grid      ceil(count / 64) workgroups
// override  none
// memory    reads and writes each element once
// numerics  exact where product and sum are f16 numbers
// twin      tests/reference/probes.ts

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.count) { return; }
  let half = f16(x[id.x]);
  y[id.x] = f32(half * half + half);
}
