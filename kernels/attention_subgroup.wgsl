// attention_subgroup: z = softmax(scale q k^T) v, 8 rows a subgroup of 8 lanes, operands shared by broadcast.
//
// A row is a query and one of the query heads of a key head. Scores: a lane holds a key, rows come by broadcast. Mix: a
// lane holds columns, weights come by broadcast from the lane of their key.
//
// shapes    q [batch, queries, nHeads, dHead], k [batch, keys, nKvHeads, dHead], v the same, start [batch],
//           length [batch] -> z [batch, queries, nHeads, dHead], logSumExp [batch, nHeads, queries]; dHead % 4 = 0
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      count = batch * nKvHeads * tiles * chunks workgroups, folded to 2-D; a tile is 8 rows, a chunk 32 or 64
//           columns (every chunk computes the scores again); 8 threads, one subgroup
// override  WIDE: a chunk is 64 columns
// memory    no workgroup memory, no barrier; reads k and v once for 8 rows
// numerics  running maximum, so no exp overflows; finite for |score| < 1e38; a row that sees no key gives z = 0
// twin      tests/reference/attention.ts
// calls     attention_products

struct Params {
  count: u32, tiles: u32, chunks: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32,
}

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> start: array<u32>;
@group(0) @binding(4) var<storage, read> length: array<u32>;
@group(0) @binding(5) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> logSumExp: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WIDE: bool = true;

// Below every score.
const LOWEST = -3.0e38;

// Sums of the mix, by row: this lane's four columns of the first 32, then of the next 32.
var<private> lo: array<vec4f, 8>;
var<private> hi: array<vec4f, 8>;

// Adds one key's values to the sums of all rows; its weights are a for rows 0 to 3 and b for rows 4 to 7.
fn mix(a: vec4f, b: vec4f, loAt: u32, hiAt: u32) {
  let x = v[loAt];
  lo[0] += a.x * x; lo[1] += a.y * x; lo[2] += a.z * x; lo[3] += a.w * x;
  lo[4] += b.x * x; lo[5] += b.y * x; lo[6] += b.z * x; lo[7] += b.w * x;
  if (WIDE) {
    let y = v[hiAt];
    hi[0] += a.x * y; hi[1] += a.y * y; hi[2] += a.z * y; hi[3] += a.w * y;
    hi[4] += b.x * y; hi[5] += b.y * y; hi[6] += b.z * y; hi[7] += b.w * y;
  }
}

// Multiplies the sums of rows 0 to 3 by a and those of rows 4 to 7 by b.
fn rescale(a: vec4f, b: vec4f) {
  lo[0] *= a.x; lo[1] *= a.y; lo[2] *= a.z; lo[3] *= a.w; lo[4] *= b.x; lo[5] *= b.y; lo[6] *= b.z; lo[7] *= b.w;
  hi[0] *= a.x; hi[1] *= a.y; hi[2] *= a.z; hi[3] *= a.w; hi[4] *= b.x; hi[5] *= b.y; hi[6] *= b.z; hi[7] *= b.w;
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let index = group.y * groups.x + group.x;
  if (index >= params.count) { return; }
  let chunk = index % params.chunks;
  let tile = index / params.chunks % params.tiles;
  let kvHead = index / (params.chunks * params.tiles) % params.nKvHeads;
  let sequence = index / (params.chunks * params.tiles * params.nKvHeads);
  let heads = params.nHeads / params.nKvHeads;
  // This lane's row; lanes past the end repeat the last row, which they store a second time.
  let row = min(tile * 8u + lane, params.queries * heads - 1u);
  let t = row / heads;
  let head = kvHead * heads + row % heads;
  let quads = params.dHead / 4u;
  let rowAt = ((sequence * params.queries + t) * params.nHeads + head) * quads;
  let seen = min(start[sequence] + t + 1u, min(length[sequence], params.keys));
  let seenA = vec4u(subgroupBroadcast(seen, 0u), subgroupBroadcast(seen, 1u), subgroupBroadcast(seen, 2u),
                    subgroupBroadcast(seen, 3u));
  let seenB = vec4u(subgroupBroadcast(seen, 4u), subgroupBroadcast(seen, 5u), subgroupBroadcast(seen, 6u),
                    subgroupBroadcast(seen, 7u));
  // Rows are in order of position, so the last one sees most; worked out from what all lanes share.
  let lastRow = min(tile * 8u + 7u, params.queries * heads - 1u);
  let count = min(start[sequence] + lastRow / heads + 1u, min(length[sequence], params.keys));
  let stride = params.nKvHeads * quads;
  let kvAt = (sequence * params.keys * params.nKvHeads + kvHead) * quads;
  let column = chunk * select(8u, 16u, WIDE) + lane;
  let loColumn = kvAt + min(column, quads - 1u);
  let hiColumn = kvAt + min(column + 8u, quads - 1u);
  var maxA = vec4f(LOWEST); var maxB = vec4f(LOWEST); // of rows 0 to 3 and of rows 4 to 7, the same in every lane
  var sumA: vec4f; var sumB: vec4f; // of this lane's keys alone
  for (var first = 0u; first < count; first += 8u) {
    let key = first + lane;
    let keyAt = kvAt + min(key, count - 1u) * stride;
    var a = vec4f(); var b = vec4f(); // naga clears a variable in a loop only if it is told to
    for (var i = 0u; i < quads; i++) {
      let x = k[keyAt + i];
      let y = q[rowAt + i];
      a += productsA(y, x);
      b += productsB(y, x);
    }
    a = select(vec4f(LOWEST), params.scale * a, vec4u(key) < seenA);
    b = select(vec4f(LOWEST), params.scale * b, vec4u(key) < seenB);
    let topA = max(maxA, subgroupMax(a));
    let topB = max(maxB, subgroupMax(b));
    a = select(vec4f(), exp(a - topA), vec4u(key) < seenA);
    b = select(vec4f(), exp(b - topB), vec4u(key) < seenB);
    let factorA = exp(maxA - topA);
    let factorB = exp(maxB - topB);
    rescale(factorA, factorB);
    sumA = sumA * factorA + a; sumB = sumB * factorB + b;
    maxA = topA; maxB = topB;
    // Past the end the weights are 0 and the last key stands in, as what lies beyond need not be a number.
    let end = (count - 1u) * stride;
    var at = first * stride;
    mix(subgroupBroadcast(a, 0u), subgroupBroadcast(b, 0u), loColumn + at, hiColumn + at); at = min(at + stride, end);
    mix(subgroupBroadcast(a, 1u), subgroupBroadcast(b, 1u), loColumn + at, hiColumn + at); at = min(at + stride, end);
    mix(subgroupBroadcast(a, 2u), subgroupBroadcast(b, 2u), loColumn + at, hiColumn + at); at = min(at + stride, end);
    mix(subgroupBroadcast(a, 3u), subgroupBroadcast(b, 3u), loColumn + at, hiColumn + at); at = min(at + stride, end);
    mix(subgroupBroadcast(a, 4u), subgroupBroadcast(b, 4u), loColumn + at, hiColumn + at); at = min(at + stride, end);
    mix(subgroupBroadcast(a, 5u), subgroupBroadcast(b, 5u), loColumn + at, hiColumn + at); at = min(at + stride, end);
    mix(subgroupBroadcast(a, 6u), subgroupBroadcast(b, 6u), loColumn + at, hiColumn + at); at = min(at + stride, end);
    mix(subgroupBroadcast(a, 7u), subgroupBroadcast(b, 7u), loColumn + at, hiColumn + at);
  }
  sumA = subgroupAdd(sumA); sumB = subgroupAdd(sumB);
  rescale(select(vec4f(), 1.0 / sumA, sumA > vec4f()), select(vec4f(), 1.0 / sumB, sumB > vec4f()));
  store(rowAt, column, quads);
  if (chunk == 0u) {
    let largest = select(maxA, maxB, lane > 3u)[lane & 3u];
    let sum = select(sumA, sumB, lane > 3u)[lane & 3u];
    logSumExp[(sequence * params.nHeads + head) * params.queries + t] =
      select(LOWEST, largest + log(sum), sum > 0.0);
  }
}

// Stores each row's sums: lane r knows where row r begins.
fn store(rowAt: u32, column: u32, quads: u32) {
  let at = array<u32, 8>(
    subgroupBroadcast(rowAt, 0u), subgroupBroadcast(rowAt, 1u), subgroupBroadcast(rowAt, 2u),
    subgroupBroadcast(rowAt, 3u), subgroupBroadcast(rowAt, 4u), subgroupBroadcast(rowAt, 5u),
    subgroupBroadcast(rowAt, 6u), subgroupBroadcast(rowAt, 7u));
  for (var r = 0u; r < 8u; r++) {
    if (column < quads) { z[at[r] + column] = lo[r]; }
    if (WIDE && column + 8u < quads) { z[at[r] + column + 8u] = hi[r]; }
  }
}
