// cholesky_block: factors one diagonal block A = L L' in place and inverts L; one workgroup.
//
// shapes    a [size, size], rows and columns start .. start + 63 of it; inverse [size / 64, 64, 64]; status [1]
// types     f32 in, f32 accumulate, f32 out; status u32
// grid      1 workgroup; thread i owns row i of the block, then column i of the inverse
// override  none; 64 threads, as many as a block has rows
// memory    8.6 kB workgroup (packed lower triangle and diagonal); reads and writes the block once
// numerics  dot products of at most 64 terms; a pivot that is not finite or below floor sets status and counts as 1
// twin      tests/reference/cholesky.ts

struct Params { size: u32, start: u32, floor: f32 }

const BLOCK = 64u;

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> inverse: array<f32>;
@group(0) @binding(2) var<storage, read_write> status: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;

var<workgroup> lower: array<f32, 2080>; // 64 * 65 / 2
var<workgroup> diagonals: array<f32, BLOCK>;

fn packedAt(row: u32, col: u32) -> u32 { return row * (row + 1u) / 2u + col; }

// Four elements of a row, which are loaded at once: one after the other, as a loop has them, they would be waited for.
fn fourAt(at: u32) -> vec4f { return vec4f(lower[at], lower[at + 1u], lower[at + 2u], lower[at + 3u]); }

// Dot product of the first `count` elements of two rows.
fn dotRows(first: u32, second: u32, count: u32) -> f32 {
  let x = packedAt(first, 0u);
  let y = packedAt(second, 0u);
  var sum = 0.0;
  var k = 0u;
  for (; k + 4u <= count; k += 4u) { sum += dot(fourAt(x + k), fourAt(y + k)); }
  for (; k < count; k++) { sum += lower[x + k] * lower[y + k]; }
  return sum;
}

// Dot product of elements `first` to `end` - 1 of a row with those of a column of the inverse.
fn dotColumn(row: u32, column: u32, first: u32, end: u32) -> f32 {
  let x = packedAt(row, 0u);
  var sum = 0.0;
  var k = first;
  for (; k + 4u <= end; k += 4u) {
    let at = column + k * BLOCK;
    let four = vec4f(inverse[at], inverse[at + BLOCK], inverse[at + 2u * BLOCK], inverse[at + 3u * BLOCK]);
    sum += dot(fourAt(x + k), four);
  }
  for (; k < end; k++) { sum += lower[x + k] * inverse[column + k * BLOCK]; }
  return sum;
}

// By bits, since a compiler may assume that there is no NaN: sign 0, exponent neither 0 nor all ones, at least floor.
fn usable(pivot: f32) -> bool {
  let bits = bitcast<u32>(pivot);
  return bits >= 0x00800000u && bits < 0x7f800000u && pivot >= params.floor;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) row: u32) {
  let base = (params.start + row) * params.size + params.start;
  for (var col = 0u; col <= row; col++) { lower[packedAt(row, col)] = a[base + col]; }
  for (var k = 0u; k < BLOCK; k++) {
    workgroupBarrier();
    // Every thread works out the pivot itself: it costs one more dot product and saves a barrier. The diagonal in
    // `lower` therefore stays as it was given.
    var pivot = lower[packedAt(k, k)] - dotRows(k, k, k);
    if (!usable(pivot)) {
      if (row == 0u && status[0] == 0u) { status[0] = params.start + k + 1u; }
      pivot = 1.0;
    }
    let diagonal = sqrt(pivot);
    if (row == k) { diagonals[k] = diagonal; }
    if (row > k) { lower[packedAt(row, k)] = (lower[packedAt(row, k)] - dotRows(row, k, k)) / diagonal; }
  }
  workgroupBarrier();
  for (var col = 0u; col < row; col++) { a[base + col] = lower[packedAt(row, col)]; }
  a[base + row] = diagonals[row];
  // Forward substitution on column `row` of the identity; the thread reads back only what it wrote itself.
  let column = params.start * BLOCK + row;
  for (var i = 0u; i < BLOCK; i++) {
    var value = 0.0;
    if (i == row) { value = 1.0 / diagonals[i]; }
    if (i > row) { value = -dotColumn(i, column, row, i) / diagonals[i]; }
    inverse[column + i * BLOCK] = value;
  }
}
