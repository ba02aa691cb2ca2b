// add_scaled_rows: y[i] = base[slot[i]] + factor[i] * x[i].
//
// shapes    x [rows, width], base [count, width], slot [rows], factor [rows] -> y [rows, width]
// types     f32, slot u32
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64
// memory    no workgroup memory; reads and writes each row once
// numerics  the product may be fused into the sum; a slot from count up counts as a row of zeros
// twin      tests/reference/sub_values.ts

struct Params { rows: u32, width: u32, count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> base: array<f32>;
@group(0) @binding(2) var<storage, read> slot: array<u32>;
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let source = slot[row];
  let by = factor[row];
  for (var i = lane; i < params.width; i += WG) {
    var value = 0.0;
    if (source < params.count) { value = base[source * params.width + i]; }
    y[start + i] = value + by * x[start + i];
  }
}
