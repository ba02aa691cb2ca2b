// softmax_subgroup: y = exp(x - max) / sum exp(x - max), or its logarithm, four rows a subgroup of 8 lanes.
//
// shapes    x [rows, width] -> y [rows, width], width a multiple of 8
// types     f32 in, f32 accumulate, f32 out
// grid      ceil(rows / 4) workgroups, folded to 2-D; 8 threads, one subgroup
// override  LOG: the logarithm
// memory    no workgroup memory, no barrier; reads x twice (cache), writes y once
// numerics  running maximum, so no exp overflows and large logits lose no digits; finite for |x| < 1e38
// twin      tests/reference/softmax.ts
// calls     octet, row_octets, exp_below

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<Octet>;
@group(0) @binding(1) var<storage, read_write> y: array<Octet>;
@group(1) @binding(0) var<uniform> params: Params;

override LOG: bool = false;

// Below every logit, and its difference to one is finite.
const LOWEST = -3.0e38;
const ONES = vec4f(1.0);

fn highest(a: mat2x4f) -> f32 {
  let four = max(a[0], a[1]);
  return max(max(four.x, four.y), max(four.z, four.w));
}

fn terms(a: mat2x4f, top: f32) -> f32 { return dot(expBelow(a[0] - top) + expBelow(a[1] - top), ONES); }

fn result(value: vec4f, top: f32, scale: f32) -> vec4f {
  if (LOG) { return value - top - scale; }
  return expBelow(value - top) * scale;
}

fn finish(i: u32, top: f32, scale: f32) {
  let values = fromOctet(x[i]);
  y[i] = toOctet(mat2x4f(result(values[0], top, scale), result(values[1], top, scale)));
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let octets = params.width / 8u;
  let start = rowStarts(group, groups);
  // Largest value so far and the sum of exp(value - largest), one component a row.
  var largest = vec4f(LOWEST);
  var sum = vec4f();
  for (var i = lane; i < octets; i += 8u) {
    let a = fromOctet(x[start.x + i]);
    let b = fromOctet(x[start.y + i]);
    let c = fromOctet(x[start.z + i]);
    let d = fromOctet(x[start.w + i]);
    let next = max(largest, vec4f(highest(a), highest(b), highest(c), highest(d)));
    sum = sum * expBelow(largest - next) +
      vec4f(terms(a, next.x), terms(b, next.y), terms(c, next.z), terms(d, next.w));
    largest = next;
  }
  let top = subgroupMax(largest);
  let total = subgroupAdd(sum * expBelow(largest - top));
  var scale = 1.0 / total;
  if (LOG) { scale = log(total); }
  for (var i = lane; i < octets; i += 8u) {
    finish(start.x + i, top.x, scale.x);
    finish(start.y + i, top.y, scale.y);
    finish(start.z + i, top.z, scale.z);
    finish(start.w + i, top.w, scale.w);
  }
}
