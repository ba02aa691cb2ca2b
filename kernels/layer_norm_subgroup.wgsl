// layer_norm_subgroup: y = (x - mean) / sqrt(variance + eps) * weight + bias, four rows a subgroup of 8 lanes.
//
// shapes    x [rows, width], weight [width], bias [width] -> y [rows, width], width a multiple of 8
// types     f32 in, weight and bias f32, f16 or bf16, f32 accumulate, f32 out
// grid      ceil(rows / 4) workgroups, folded to 2-D; 8 threads, one subgroup
// override  WEIGHT_TYPE, BIAS_TYPE: 0 f32, 1 f16, 2 bf16
// memory    no workgroup memory, no barrier; reads x twice (cache), writes y once; four rows share weight and bias
// numerics  running mean and squares (Chan et al. 1979), as good as two passes; finite for |x| < 1e18
// twin      tests/reference/norms.ts
// calls     octet, row_octets, weight_octet, decode_octet

struct Params { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<Octet>;
@group(0) @binding(1) var<storage, read> weight: array<HalfOctet>;
@group(0) @binding(2) var<storage, read> bias: array<HalfOctet>;
@group(0) @binding(3) var<storage, read_write> y: array<Octet>;
@group(1) @binding(0) var<uniform> params: Params;

override WEIGHT_TYPE: u32 = 0u;
override BIAS_TYPE: u32 = 0u;

const EIGHTHS = vec4f(0.125);

fn biasOctet(i: u32) -> mat2x4f {
  if (BIAS_TYPE == 0u) { return decodeOctet(halfWords(bias[2u * i]), halfWords(bias[2u * i + 1u]), 0u); }
  return decodeOctet(halfWords(bias[i]), vec4u(), BIAS_TYPE);
}

fn mean(a: mat2x4f) -> f32 { return dot(a[0] + a[1], EIGHTHS); }

// Sum of the squared distances from a value.
fn spread(a: mat2x4f, from_mean: f32) -> f32 {
  let first = a[0] - from_mean;
  let second = a[1] - from_mean;
  return dot(first, first) + dot(second, second);
}

fn scaled(i: u32, center: f32, scale: f32, factor: mat2x4f, shift: mat2x4f) {
  let values = fromOctet(x[i]);
  y[i] = toOctet(mat2x4f((values[0] - center) * scale * factor[0] + shift[0],
                         (values[1] - center) * scale * factor[1] + shift[1]));
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let octets = params.width / 8u;
  let width = f32(params.width);
  let start = rowStarts(group, groups);
  // Mean of this lane's values so far and the sum of their squared distances from it, one component a row.
  var laneMean = vec4f();
  var laneSquares = vec4f();
  var count = 0.0;
  for (var i = lane; i < octets; i += 8u) {
    let a = fromOctet(x[start.x + i]);
    let b = fromOctet(x[start.y + i]);
    let c = fromOctet(x[start.z + i]);
    let d = fromOctet(x[start.w + i]);
    let octetMean = vec4f(mean(a), mean(b), mean(c), mean(d));
    let away = octetMean - laneMean;
    let step = away * (8.0 / (count + 8.0));
    laneMean += step;
    laneSquares += vec4f(spread(a, octetMean.x), spread(b, octetMean.y), spread(c, octetMean.z),
                         spread(d, octetMean.w)) + count * away * step;
    count += 8.0;
  }
  let center = subgroupAdd(count * laneMean) / width;
  let away = laneMean - center;
  let scale = 1.0 / sqrt(subgroupAdd(laneSquares + count * away * away) / width + params.eps);
  for (var i = lane; i < octets; i += 8u) {
    let factor = weightOctet(i);
    let shift = biasOctet(i);
    scaled(start.x + i, center.x, scale.x, factor, shift);
    scaled(start.y + i, center.y, scale.y, factor, shift);
    scaled(start.z + i, center.z, scale.z, factor, shift);
    scaled(start.w + i, center.w, scale.w, factor, shift);
  }
}
