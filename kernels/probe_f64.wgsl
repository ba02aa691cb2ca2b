// probe_f64: dot product of each pair of rows in double precision, given back as the sum of two f32.
//
// shapes    a, b [rows, terms] -> y [rows, 2] = leading part, rest
// types     f32 in, f64 products and sum, f32 pair out
// grid      ceil(rows / 64) workgroups, one thread a row
// override  none
// memory    reads a and b once
// numerics  f64 sums in order; the pair keeps 48 bits of the result
// twin      tests/reference/probes.ts

struct Params { rows: u32, terms: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  var sum = f64(0.0);
  for (var t = 0u; t < params.terms; t++) {
    let at = id.x * params.terms + t;
    sum += f64(a[at]) * f64(b[at]);
  }
  let leading = f32(sum);
  y[id.x] = vec2f(leading, f32(sum - f64(leading)));
}
