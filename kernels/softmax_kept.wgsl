// softmax_kept: softmax_subgroup for rows that stay in registers, one row a subgroup of 8 lanes.
//
// shapes    x [rows, width] -> y [rows, width], width 256, 512, 768 or 1024
// types     f32 in, f32 accumulate, f32 out
// grid      rows workgroups, folded to 2-D; 8 threads, one subgroup
// override  QUARTERS = width / 256; LOG: the logarithm
// memory    no workgroup memory, no barrier; reads x once, writes y once
// numerics  the maximum is taken off first, so no exp overflows; finite for |x| < 1e38
// twin      tests/reference/softmax.ts
// calls     octet, kept_row, exp_below

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<Octet>;
@group(0) @binding(1) var<storage, read_write> y: array<Octet>;
@group(1) @binding(0) var<uniform> params: Params;

override QUARTERS: u32 = 4u;
override LOG: bool = false;

fn highest(q: Quarter) -> vec4f {
  return max(max(max(q.a[0], q.a[1]), max(q.b[0], q.b[1])), max(max(q.c[0], q.c[1]), max(q.d[0], q.d[1])));
}

fn exponents(a: mat2x4f, top: f32) -> mat2x4f { return mat2x4f(expBelow(a[0] - top), expBelow(a[1] - top)); }

fn terms(q: Quarter, top: f32) -> Quarter {
  return Quarter(exponents(q.a, top), exponents(q.b, top), exponents(q.c, top), exponents(q.d, top));
}

fn total(q: Quarter) -> vec4f {
  return ((q.a[0] + q.a[1]) + (q.b[0] + q.b[1])) + ((q.c[0] + q.c[1]) + (q.d[0] + q.d[1]));
}

fn write(at: u32, value: mat2x4f, part: mat2x4f, top: f32, scale: f32) {
  if (LOG) { y[at] = toOctet(mat2x4f(value[0] - top - scale, value[1] - top - scale)); }
  else { y[at] = toOctet(part * scale); }
}

fn writeQuarter(at: u32, values: Quarter, parts: Quarter, top: f32, scale: f32) {
  write(at, values.a, parts.a, top, scale);
  write(at + 8u, values.b, parts.b, top, scale);
  write(at + 16u, values.c, parts.c, top, scale);
  write(at + 24u, values.d, parts.d, top, scale);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let at = row * 32u * QUARTERS + lane;
  let values = readRow(at);
  var four = highest(values.first);
  if (QUARTERS > 1u) { four = max(four, highest(values.second)); }
  if (QUARTERS > 2u) { four = max(four, highest(values.third)); }
  if (QUARTERS > 3u) { four = max(four, highest(values.fourth)); }
  let top = subgroupMax(max(max(four.x, four.y), max(four.z, four.w)));
  var parts: Row;
  parts.first = terms(values.first, top);
  var sums = total(parts.first);
  if (QUARTERS > 1u) { parts.second = terms(values.second, top); sums += total(parts.second); }
  if (QUARTERS > 2u) { parts.third = terms(values.third, top); sums += total(parts.third); }
  if (QUARTERS > 3u) { parts.fourth = terms(values.fourth, top); sums += total(parts.fourth); }
  let sum = subgroupAdd((sums.x + sums.y) + (sums.z + sums.w));
  var scale = 1.0 / sum;
  if (LOG) { scale = log(sum); }
  writeQuarter(at, values.first, parts.first, top, scale);
  if (QUARTERS > 1u) { writeQuarter(at + 32u, values.second, parts.second, top, scale); }
  if (QUARTERS > 2u) { writeQuarter(at + 64u, values.third, parts.third, top, scale); }
  if (QUARTERS > 3u) { writeQuarter(at + 96u, values.fourth, parts.fourth, top, scale); }
}
