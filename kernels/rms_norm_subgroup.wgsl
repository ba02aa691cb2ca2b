// rms_norm_subgroup: y = x / sqrt(mean(x^2) + eps) * weight, four rows a subgroup of 8 lanes.
//
// shapes    x [rows, width], weight [width] -> y [rows, width], width a multiple of 4
// types     f32 in, weight f32, f16 or bf16, f32 accumulate, f32 out
// grid      ceil(rows / 4) workgroups, folded to 2-D; 8 threads, one subgroup
// override  WEIGHT_TYPE: 0 f32, 1 f16, 2 bf16
// memory    no workgroup memory, no barrier; reads x twice (cache), writes y once; four rows share the weight
// numerics  finite for |x| < 1e18
// twin      tests/reference/norms.ts
// calls     row_quad, weight_quad

struct Params { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WEIGHT_TYPE: u32 = 0u;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let quads = params.width / 4u;
  let start = rowStarts(group, groups);
  var squares = vec4f(); // one component a row
  for (var i = lane; i < quads; i += 8u) {
    let a = x[start.x + i];
    let b = x[start.y + i];
    let c = x[start.z + i];
    let d = x[start.w + i];
    squares += vec4f(dot(a, a), dot(b, b), dot(c, c), dot(d, d));
  }
  let scale = 1.0 / sqrt(subgroupAdd(squares) / f32(params.width) + params.eps);
  for (var i = lane; i < quads; i += 8u) {
    let factor = weightQuad(i);
    y[start.x + i] = x[start.x + i] * scale.x * factor;
    y[start.y + i] = x[start.y + i] * scale.y * factor;
    y[start.z + i] = x[start.z + i] * scale.z * factor;
    y[start.w + i] = x[start.w + i] * scale.w * factor;
  }
}
