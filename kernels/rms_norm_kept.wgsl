// rms_norm_kept: rms_norm_subgroup for rows that stay in registers, two rows a subgroup of 8 lanes.
//
// shapes    x [rows, width], weight [width] -> y [rows, width], width 256, 512, 768 or 1024
// types     f32 in, weight f32, f16 or bf16, f32 accumulate, f32 out
// grid      ceil(rows / 2) workgroups, folded to 2-D; 8 threads, one subgroup
// override  QUARTERS = width / 256; WEIGHT_TYPE: 0 f32, 1 f16, 2 bf16
// memory    no workgroup memory, no barrier; reads x once, writes y once; two rows share the weight
// numerics  finite for |x| < 1e18
// twin      tests/reference/norms.ts
// calls     octet, kept_row, weight_octet

struct Params { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<Octet>;
@group(0) @binding(1) var<storage, read> weight: array<HalfOctet>;
@group(0) @binding(2) var<storage, read_write> y: array<Octet>;
@group(1) @binding(0) var<uniform> params: Params;

override QUARTERS: u32 = 4u;
override WEIGHT_TYPE: u32 = 0u;

fn squares(a: mat2x4f) -> f32 { return dot(a[0], a[0]) + dot(a[1], a[1]); }

fn quarterSquares(q: Quarter) -> f32 { return (squares(q.a) + squares(q.b)) + (squares(q.c) + squares(q.d)); }

fn rowSquares(row: Row) -> f32 {
  var sum = quarterSquares(row.first);
  if (QUARTERS > 1u) { sum += quarterSquares(row.second); }
  if (QUARTERS > 2u) { sum += quarterSquares(row.third); }
  if (QUARTERS > 3u) { sum += quarterSquares(row.fourth); }
  return sum;
}

fn scaled(values: mat2x4f, scale: f32, factor: mat2x4f) -> Octet {
  return toOctet(mat2x4f(values[0] * scale * factor[0], values[1] * scale * factor[1]));
}

// The same octet of both rows; start holds where they begin.
fn write(start: vec2u, i: u32, upper: mat2x4f, lower: mat2x4f, scale: vec2f) {
  let factor = weightOctet(i);
  y[start.x + i] = scaled(upper, scale.x, factor);
  y[start.y + i] = scaled(lower, scale.y, factor);
}

fn writeQuarters(start: vec2u, i: u32, upper: Quarter, lower: Quarter, scale: vec2f) {
  write(start, i, upper.a, lower.a, scale);
  write(start, i + 8u, upper.b, lower.b, scale);
  write(start, i + 16u, upper.c, lower.c, scale);
  write(start, i + 24u, upper.d, lower.d, scale);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  // Past the last row it is made once more.
  let first = 2u * (group.y * groups.x + group.x);
  let start = min(first + vec2u(0u, 1u), vec2u(params.rows - 1u)) * (32u * QUARTERS);
  let upper = readRow(start.x + lane);
  let lower = readRow(start.y + lane);
  let sums = subgroupAdd(vec2f(rowSquares(upper), rowSquares(lower)));
  let scale = 1.0 / sqrt(sums / f32(params.width) + params.eps);
  writeQuarters(start, lane, upper.first, lower.first, scale);
  if (QUARTERS > 1u) { writeQuarters(start, lane + 32u, upper.second, lower.second, scale); }
  if (QUARTERS > 2u) { writeQuarters(start, lane + 64u, upper.third, lower.third, scale); }
  if (QUARTERS > 3u) { writeQuarters(start, lane + 96u, upper.fourth, lower.fourth, scale); }
}
