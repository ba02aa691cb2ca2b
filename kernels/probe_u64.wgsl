// probe_u64: each eight values in reverse order, loaded and stored as 64-bit words.
//
// shapes    x [count] -> y [count], count a multiple of 8
// types     f32 in and out, u64 words between
// grid      ceil(count / 512) workgroups, 64 threads, eight values each
// override  none
// memory    reads x once, writes y once
// numerics  exact: bits are moved, not computed with
// twin      tests/reference/probes.ts
// calls     octet

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<Octet>;
@group(0) @binding(1) var<storage, read_write> y: array<Octet>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (8u * id.x >= params.count) { return; }
  let values = fromOctet(x[id.x]);
  y[id.x] = toOctet(mat2x4f(values[1].wzyx, values[0].wzyx));
}
