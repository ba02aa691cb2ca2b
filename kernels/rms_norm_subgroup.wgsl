// rms_norm_subgroup: y = x / sqrt(mean(x^2) + eps) * weight, four rows a subgroup of 8 lanes.
//
// shapes    x [rows, width], weight [width] -> y [rows, width], width a multiple of 8
// types     f32 in, weight f32, f16 or bf16, f32 accumulate, f32 out
// grid      ceil(rows / 4) workgroups, folded to 2-D; 8 threads, one subgroup
// override  WEIGHT_TYPE: 0 f32, 1 f16, 2 bf16
// memory    no workgroup memory, no barrier; reads x twice (cache), writes y once; four rows share the weight
// numerics  finite for |x| < 1e18
// twin      tests/reference/norms.ts
// calls     octet, row_octets, weight_octet

struct Params { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<Octet>;
@group(0) @binding(1) var<storage, read> weight: array<HalfOctet>;
@group(0) @binding(2) var<storage, read_write> y: array<Octet>;
@group(1) @binding(0) var<uniform> params: Params;

override WEIGHT_TYPE: u32 = 0u;

fn squares(a: mat2x4f) -> f32 { return dot(a[0], a[0]) + dot(a[1], a[1]); }

fn scaled(i: u32, scale: f32, factor: mat2x4f) {
  let values = fromOctet(x[i]);
  y[i] = toOctet(mat2x4f(values[0] * scale * factor[0], values[1] * scale * factor[1]));
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let octets = params.width / 8u;
  let start = rowStarts(group, groups);
  var sums = vec4f(); // one component a row
  for (var i = lane; i < octets; i += 8u) {
    sums += vec4f(squares(fromOctet(x[start.x + i])), squares(fromOctet(x[start.y + i])),
                  squares(fromOctet(x[start.z + i])), squares(fromOctet(x[start.w + i])));
  }
  let scale = 1.0 / sqrt(subgroupAdd(sums) / f32(params.width) + params.eps);
  for (var i = lane; i < octets; i += 8u) {
    let factor = weightOctet(i);
    scaled(start.x + i, scale.x, factor);
    scaled(start.y + i, scale.y, factor);
    scaled(start.z + i, scale.z, factor);
    scaled(start.w + i, scale.w, factor);
  }
}
