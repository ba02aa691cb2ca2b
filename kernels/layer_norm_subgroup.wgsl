// layer_norm_subgroup: y = (x - mean) / sqrt(variance + eps) * weight + bias, four rows a subgroup of 8 lanes.
//
// shapes    x [rows, width], weight [width], bias [width] -> y [rows, width], width a multiple of 4
// types     f32 in, weight and bias f32, f16 or bf16, f32 accumulate, f32 out
// grid      ceil(rows / 4) workgroups, folded to 2-D; 8 threads, one subgroup
// override  WEIGHT_TYPE, BIAS_TYPE: 0 f32, 1 f16, 2 bf16
// memory    no workgroup memory, no barrier; reads x twice (cache), writes y once; four rows share weight and bias
// numerics  running mean and squares (Chan et al. 1979), as good as two passes; finite for |x| < 1e18
// twin      tests/reference/norms.ts
// calls     row_quad, weight_quad, decode_quad

struct Params { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec2u>;
@group(0) @binding(2) var<storage, read> bias: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WEIGHT_TYPE: u32 = 0u;
override BIAS_TYPE: u32 = 0u;

const QUARTERS = vec4f(0.25);

fn biasQuad(i: u32) -> vec4f {
  if (BIAS_TYPE == 0u) { return decodeQuad(vec4u(bias[2u * i], bias[2u * i + 1u]), 0u); }
  return decodeQuad(vec4u(bias[i], 0u, 0u), BIAS_TYPE);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let quads = params.width / 4u;
  let width = f32(params.width);
  let start = rowStarts(group, groups);
  // Mean of this lane's values so far and the sum of their squared distances from it, one component a row.
  var laneMean = vec4f();
  var laneSquares = vec4f();
  var count = 0.0;
  for (var i = lane; i < quads; i += 8u) {
    let values = mat4x4f(x[start.x + i], x[start.y + i], x[start.z + i], x[start.w + i]);
    let quadMean = QUARTERS * values;
    let a = values[0] - quadMean.x;
    let b = values[1] - quadMean.y;
    let c = values[2] - quadMean.z;
    let d = values[3] - quadMean.w;
    let away = quadMean - laneMean;
    let step = away * (4.0 / (count + 4.0));
    laneMean += step;
    laneSquares += vec4f(dot(a, a), dot(b, b), dot(c, c), dot(d, d)) + count * away * step;
    count += 4.0;
  }
  let mean = subgroupAdd(count * laneMean) / width;
  let away = laneMean - mean;
  let scale = 1.0 / sqrt(subgroupAdd(laneSquares + count * away * away) / width + params.eps);
  for (var i = lane; i < quads; i += 8u) {
    let factor = weightQuad(i);
    let shift = biasQuad(i);
    y[start.x + i] = (x[start.x + i] - mean.x) * scale.x * factor + shift;
    y[start.y + i] = (x[start.y + i] - mean.y) * scale.y * factor + shift;
    y[start.z + i] = (x[start.z + i] - mean.z) * scale.z * factor + shift;
    y[start.w + i] = (x[start.w + i] - mean.w) * scale.w * factor + shift;
  }
}
