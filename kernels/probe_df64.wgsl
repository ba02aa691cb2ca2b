// probe_df64: sum, product and dot product of rows as unevaluated sums of two f32, with or without a compiler barrier.
//
// shapes    a, b [rows, terms] -> y [rows, 6] = a0 + b0 and its error, a0 * b0 and its error, dot and its rest
// types     f32 in, f32 pairs out
// grid      ceil(rows / 64) workgroups, one thread a row
// override  BARRIER = true: every rounded intermediate passes through an XOR with a zero that only the host knows
// memory    reads a and b once
// numerics  two-sum (Knuth), two-product with factors split by a bit mask (after Dekker); errors are exact if the
//           compiler keeps them and products stay above 2^-100
// twin      tests/reference/probes.ts

struct Params { rows: u32, terms: u32, zero: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override BARRIER: bool = true;

fn kept(x: f32) -> f32 {
  if (!BARRIER) { return x; }
  return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

fn sumWithError(p: f32, q: f32) -> vec2f {
  let sum = kept(p + q);
  let partOfQ = kept(sum - p);
  let partOfP = kept(sum - partOfQ);
  return vec2f(sum, (p - partOfP) + (q - partOfQ));
}

// The upper 12 of 24 bits, so that products of halves are exact.
fn upper(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

fn productWithError(p: f32, q: f32) -> vec2f {
  let product = kept(p * q);
  let pHigh = upper(p);
  let qHigh = upper(q);
  let pLow = p - pHigh;
  let qLow = q - qHigh;
  let cross = (pHigh * qHigh - product) + pHigh * qLow + pLow * qHigh;
  return vec2f(product, cross + pLow * qLow);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.terms;
  var total = vec2f();
  for (var t = 0u; t < params.terms; t++) {
    let product = productWithError(a[first + t], b[first + t]);
    let sum = sumWithError(total.x, product.x);
    total = sumWithError(sum.x, sum.y + (total.y + product.y));
  }
  let sum = sumWithError(a[first], b[first]);
  let product = productWithError(a[first], b[first]);
  let at = id.x * 6u;
  y[at] = sum.x;
  y[at + 1u] = sum.y;
  y[at + 2u] = product.x;
  y[at + 3u] = product.y;
  y[at + 4u] = total.x;
  y[at + 5u] = total.y;
}
