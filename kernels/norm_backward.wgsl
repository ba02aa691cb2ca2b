// norm_backward: dx = (g - mean(g) - xhat * mean(g * xhat)) / scale + add with g = dy * weight; RMS norm: no mean(g).
//
// shapes    dy [rows, width], x [rows, width], weight [width], add [rows, width] -> dx [rows, width]
// types     f32 in, weight f32, f16 or bf16, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two), CENTRED: layer norm; else RMS norm
// memory    16 * WG bytes workgroup; reads x twice, once more if CENTRED, and dy twice (cache), writes dx once
// numerics  mean and scale are computed again from x, in two passes; add is read only where params.hasAdd is 1
// twin      tests/reference/norms.ts
// calls     weight_at

struct Params { rows: u32, width: u32, weightType: u32, hasAdd: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<u32>;
@group(0) @binding(3) var<storage, read> add: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
override CENTRED: bool = true;
var<workgroup> partials: array<vec4f, WG>;

// Componentwise sum of one vector a thread by a fixed tree; every thread gets it.
fn rowSum(value: vec4f, lane: u32) -> vec4f {
  partials[lane] = value;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { partials[lane] += partials[lane + half]; }
    workgroupBarrier();
  }
  let sum = partials[0];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let count = f32(params.width);
  var mean = 0.0;
  if (CENTRED) {
    var sum = 0.0;
    for (var i = lane; i < params.width; i += WG) { sum += x[start + i]; }
    mean = rowSum(vec4f(sum, 0.0, 0.0, 0.0), lane).x / count;
  }
  var sums = vec4f(0.0);
  for (var i = lane; i < params.width; i += WG) {
    let centred = x[start + i] - mean;
    let g = dy[start + i] * weightAt(i);
    sums += vec4f(centred * centred, g, g * centred, 0.0);
  }
  let means = rowSum(sums, lane) / count;
  let variance = means.x + params.eps;
  let scale = sqrt(variance);
  let meanSlope = select(0.0, means.y, CENTRED);
  for (var i = lane; i < params.width; i += WG) {
    let centred = x[start + i] - mean;
    let g = dy[start + i] * weightAt(i);
    var value = (g - meanSlope - centred * (means.z / variance)) / scale;
    if (params.hasAdd != 0u) { value += add[start + i]; }
    dx[start + i] = value;
  }
}
