// attention_backward_query_subgroup: gradient of the queries, 8 rows a subgroup of 8 lanes, shared by broadcast.
//
// p = exp(scale q k^T - logSumExp), dp = dz v^T, delta = sum over columns of dz z, dq = scale p (dp - delta) k
// A row is a query and one of the query heads of a key head. Slopes: a lane holds a key, rows come by broadcast. Sums:
// a lane holds columns, slopes come by broadcast from the lane of their key.
//
// shapes    dz, q, z [batch, queries, nHeads, dHead], k, v [batch, keys, nKvHeads, dHead],
//           logSumExp [batch, nHeads, queries], start, length [batch] -> dq as q, delta as logSumExp; dHead % 4 = 0
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      count = batch * nKvHeads * tiles * chunks workgroups, folded to 2-D; a tile is 8 rows, a chunk 32 or 64
//           columns (every chunk computes the slopes again); 8 threads, one subgroup
// override  WIDE: a chunk is 64 columns
// memory    no workgroup memory, no barrier; reads k twice and v once for 8 rows
// numerics  no exp overflows, as no score exceeds its logSumExp but by rounding; a row that sees no key gives 0
// twin      tests/reference/attention.ts
// calls     attention_products

struct Params {
  count: u32, tiles: u32, chunks: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32,
}

@group(0) @binding(0) var<storage, read> dz: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> z: array<vec4f>;
@group(0) @binding(5) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(6) var<storage, read> start: array<u32>;
@group(0) @binding(7) var<storage, read> length: array<u32>;
@group(0) @binding(8) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> delta: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WIDE: bool = true;

// Sums by row: this lane's four columns of the first 32, then of the next 32.
var<private> lo: array<vec4f, 8>;
var<private> hi: array<vec4f, 8>;

// Adds one key to the sums of all rows; its slopes are a for rows 0 to 3 and b for rows 4 to 7.
fn mix(a: vec4f, b: vec4f, loAt: u32, hiAt: u32) {
  let x = k[loAt];
  lo[0] += a.x * x; lo[1] += a.y * x; lo[2] += a.z * x; lo[3] += a.w * x;
  lo[4] += b.x * x; lo[5] += b.y * x; lo[6] += b.z * x; lo[7] += b.w * x;
  if (WIDE) {
    let y = k[hiAt];
    hi[0] += a.x * y; hi[1] += a.y * y; hi[2] += a.z * y; hi[3] += a.w * y;
    hi[4] += b.x * y; hi[5] += b.y * y; hi[6] += b.z * y; hi[7] += b.w * y;
  }
}

// The values that lanes 0 to 3 hold, and those that lanes 4 to 7 hold.
fn lanesA(x: f32) -> vec4f {
  return vec4f(subgroupBroadcast(x, 0u), subgroupBroadcast(x, 1u), subgroupBroadcast(x, 2u), subgroupBroadcast(x, 3u));
}

fn lanesB(x: f32) -> vec4f {
  return vec4f(subgroupBroadcast(x, 4u), subgroupBroadcast(x, 5u), subgroupBroadcast(x, 6u), subgroupBroadcast(x, 7u));
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
  let statistics = (sequence * params.nHeads + head) * params.queries + t;
  let seen = f32(min(start[sequence] + t + 1u, min(length[sequence], params.keys)));
  let seenA = lanesA(seen); let seenB = lanesB(seen);
  // Rows are in order of position, so the last one sees most; worked out from what all lanes share.
  let lastRow = min(tile * 8u + 7u, params.queries * heads - 1u);
  let count = min(start[sequence] + lastRow / heads + 1u, min(length[sequence], params.keys));
  let stride = params.nKvHeads * quads;
  let kvAt = (sequence * params.keys * params.nKvHeads + kvHead) * quads;
  let column = chunk * select(8u, 16u, WIDE) + lane;
  let loColumn = kvAt + min(column, quads - 1u);
  let hiColumn = kvAt + min(column + 8u, quads - 1u);
  var mean = 0.0;
  for (var i = 0u; i < quads; i++) { mean += dot(dz[rowAt + i], z[rowAt + i]); }
  if (chunk == 0u) { delta[statistics] = mean; }
  let meanA = lanesA(mean); let meanB = lanesB(mean);
  let totalA = lanesA(logSumExp[statistics]); let totalB = lanesB(logSumExp[statistics]);
  for (var first = 0u; first < count; first += 8u) {
    let key = f32(first + lane);
    let keyAt = kvAt + min(first + lane, count - 1u) * stride;
    // naga clears a variable in a loop only if it is told to.
    var scoreA = vec4f(); var scoreB = vec4f(); var dpA = vec4f(); var dpB = vec4f();
    for (var i = 0u; i < quads; i++) {
      let x = k[keyAt + i]; let y = v[keyAt + i];
      let qRow = q[rowAt + i]; let dzRow = dz[rowAt + i];
      scoreA += productsA(qRow, x); scoreB += productsB(qRow, x);
      dpA += productsA(dzRow, y); dpB += productsB(dzRow, y);
    }
    let a = select(vec4f(), params.scale * exp(params.scale * scoreA - totalA) * (dpA - meanA), vec4f(key) < seenA);
    let b = select(vec4f(), params.scale * exp(params.scale * scoreB - totalB) * (dpB - meanB), vec4f(key) < seenB);
    // Past the end the slopes are 0 and the last key stands in, as what lies beyond need not be a number.
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
  let at = array<u32, 8>(
    subgroupBroadcast(rowAt, 0u), subgroupBroadcast(rowAt, 1u), subgroupBroadcast(rowAt, 2u),
    subgroupBroadcast(rowAt, 3u), subgroupBroadcast(rowAt, 4u), subgroupBroadcast(rowAt, 5u),
    subgroupBroadcast(rowAt, 6u), subgroupBroadcast(rowAt, 7u));
  for (var r = 0u; r < 8u; r++) {
    if (column < quads) { dq[at[r] + column] = lo[r]; }
    if (WIDE && column + 8u < quads) { dq[at[r] + column + 8u] = hi[r]; }
  }
}
