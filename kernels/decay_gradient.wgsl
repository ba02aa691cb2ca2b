// decay_gradient: gradient += decay * x / |x|, the gradient of decay * |x| row by row; nothing where |x| = 0.
//
// shapes    x [rows, width], norms [rows], decay [rows] -> gradient [rows, width] (changed)
// types     f32
// grid      ceil(rows * width / WG) workgroups, folded to 2-D above 65535; one thread an element
// override  WG = 64
// memory    reads x and the gradient once, writes the gradient once
// numerics  one division and one multiply-add an element
// twin      tests/reference/search.ts
override WG: u32 = 64u;

struct Params {
  count: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> norms: array<f32>;
@group(0) @binding(2) var<storage, read> decay: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) nwg: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (wid.y * nwg.x + wid.x) * WG + lane;
  if (i >= params.count) { return; }
  let row = i / params.width;
  if (norms[row] > 0.0) { gradient[i] += decay[row] * x[i] / norms[row]; }
}
