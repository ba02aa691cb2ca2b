// softmax_subgroup: y = exp(x - max) / sum exp(x - max), or its logarithm, four rows a subgroup of 8 lanes.
//
// shapes    x [rows, width] -> y [rows, width], width a multiple of 4
// types     f32 in, f32 accumulate, f32 out
// grid      ceil(rows / 4) workgroups, folded to 2-D; 8 threads, one subgroup
// override  LOG: the logarithm
// memory    no workgroup memory, no barrier; reads x twice (cache), writes y once
// numerics  running maximum, so no exp overflows and large logits lose no digits; finite for |x| < 1e38
// twin      tests/reference/softmax.ts
// calls     row_quad

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override LOG: bool = false;

// Below every logit, and its difference to one is finite.
const LOWEST = -3.0e38;
const ONES = vec4f(1.0);

fn highest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn result(value: vec4f, top: f32, scale: f32) -> vec4f {
  if (LOG) { return value - top - scale; }
  return exp(value - top) * scale;
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let quads = params.width / 4u;
  let start = rowStarts(group, groups);
  // Largest value so far and the sum of exp(value - largest), one component a row.
  var largest = vec4f(LOWEST);
  var sum = vec4f();
  for (var i = lane; i < quads; i += 8u) {
    let a = x[start.x + i];
    let b = x[start.y + i];
    let c = x[start.z + i];
    let d = x[start.w + i];
    let next = max(largest, vec4f(highest(a), highest(b), highest(c), highest(d)));
    let terms = mat4x4f(exp(a - next.x), exp(b - next.y), exp(c - next.z), exp(d - next.w));
    sum = sum * exp(largest - next) + ONES * terms;
    largest = next;
  }
  let top = subgroupMax(largest);
  let total = subgroupAdd(sum * exp(largest - top));
  var scale = 1.0 / total;
  if (LOG) { scale = log(total); }
  for (var i = lane; i < quads; i += 8u) {
    y[start.x + i] = result(x[start.x + i], top.x, scale.x);
    y[start.y + i] = result(x[start.y + i], top.y, scale.y);
    y[start.z + i] = result(x[start.z + i], top.z, scale.z);
    y[start.w + i] = result(x[start.w + i], top.w, scale.w);
  }
}
