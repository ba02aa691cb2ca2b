// attention_backward_key_subgroup: gradients of keys and values, 8 keys a subgroup of 8 lanes, shared by broadcast.
//
// p = exp(scale q k^T - logSumExp), dp = dz v^T, dk = scale sum p (dp - delta) q, dv = sum p dz, over the queries that
// see the key and the query heads that it serves. Slopes: a lane holds a query, keys come by broadcast. Sums: a lane
// holds columns, slopes come by broadcast from the lane of their query.
//
// shapes    dz, q [batch, queries, nHeads, dHead], k, v [batch, keys, nKvHeads, dHead],
//           logSumExp, delta [batch, nHeads, queries], start, length [batch]
//           -> dk, dv [batch, queries, nKvHeads, dHead]; dHead % 4 = 0
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      count = batch * nKvHeads * tiles * chunks workgroups, folded to 2-D; a tile is 8 keys, a chunk 32 or 64
//           columns (every chunk computes the slopes again); 8 threads, one subgroup
// override  WIDE: a chunk is 64 columns
// memory    no workgroup memory, no barrier; reads q and dz twice for 8 keys
// numerics  no exp overflows, as no score exceeds its logSumExp but by rounding; a key that nobody sees gives 0
// twin      tests/reference/attention.ts
// calls     attention_products

struct Params {
  count: u32, tiles: u32, chunks: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32,
}

@group(0) @binding(0) var<storage, read> dz: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read> start: array<u32>;
@group(0) @binding(7) var<storage, read> length: array<u32>;
@group(0) @binding(8) var<storage, read_write> dk: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> dv: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WIDE: bool = true;

// Sums by key: this lane's four columns of the first 32, then of the next 32.
var<private> kLo: array<vec4f, 8>;
var<private> kHi: array<vec4f, 8>;
var<private> vLo: array<vec4f, 8>;
var<private> vHi: array<vec4f, 8>;

// Adds one query to the sums of all keys; a and b are its slopes, c and d its weights, for keys 0 to 3 and 4 to 7.
fn mix(a: vec4f, b: vec4f, c: vec4f, d: vec4f, loAt: u32, hiAt: u32) {
  var x = q[loAt]; var y = dz[loAt];
  kLo[0] += a.x * x; kLo[1] += a.y * x; kLo[2] += a.z * x; kLo[3] += a.w * x;
  kLo[4] += b.x * x; kLo[5] += b.y * x; kLo[6] += b.z * x; kLo[7] += b.w * x;
  vLo[0] += c.x * y; vLo[1] += c.y * y; vLo[2] += c.z * y; vLo[3] += c.w * y;
  vLo[4] += d.x * y; vLo[5] += d.y * y; vLo[6] += d.z * y; vLo[7] += d.w * y;
  if (WIDE) {
    x = q[hiAt]; y = dz[hiAt];
    kHi[0] += a.x * x; kHi[1] += a.y * x; kHi[2] += a.z * x; kHi[3] += a.w * x;
    kHi[4] += b.x * x; kHi[5] += b.y * x; kHi[6] += b.z * x; kHi[7] += b.w * x;
    vHi[0] += c.x * y; vHi[1] += c.y * y; vHi[2] += c.z * y; vHi[3] += c.w * y;
    vHi[4] += d.x * y; vHi[5] += d.y * y; vHi[6] += d.z * y; vHi[7] += d.w * y;
  }
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let index = group.y * groups.x + group.x;
  if (index >= params.count) { return; }
  let chunk = index % params.chunks;
  let firstKey = index / params.chunks % params.tiles * 8u; // counted from the first query's position
  let kvHead = index / (params.chunks * params.tiles) % params.nKvHeads;
  let sequence = index / (params.chunks * params.tiles * params.nKvHeads);
  let heads = params.nHeads / params.nKvHeads;
  let quads = params.dHead / 4u;
  let real = min(length[sequence], params.keys);
  // Keys that exist, as seen from the first query: those past it have no weight, and the last one stands in.
  let keys = min(real - min(real, start[sequence]), params.queries);
  let key = min(firstKey + lane, max(keys, 1u) - 1u);
  let keyAt = ((sequence * params.keys + min(start[sequence] + key, params.keys - 1u)) * params.nKvHeads + kvHead) *
    quads;
  let keyA = firstKey + vec4u(0u, 1u, 2u, 3u);
  let keyB = firstKey + vec4u(4u, 5u, 6u, 7u);
  let column = chunk * select(8u, 16u, WIDE) + lane;
  let loColumn = min(column, quads - 1u);
  let hiColumn = min(column + 8u, quads - 1u);
  // Row i of the loop is query head i % heads at query firstKey + i / heads.
  let rows = select(0u, (params.queries - firstKey) * heads, firstKey < keys);
  for (var first = 0u; first < rows; first += 8u) {
    let row = min(first + lane, rows - 1u);
    let t = firstKey + row / heads;
    let head = kvHead * heads + row % heads;
    let at = ((sequence * params.queries + t) * params.nHeads + head) * quads;
    let statistics = (sequence * params.nHeads + head) * params.queries + t;
    // naga clears a variable in a loop only if it is told to.
    var scoreA = vec4f(); var scoreB = vec4f(); var dpA = vec4f(); var dpB = vec4f();
    for (var i = 0u; i < quads; i++) {
      let kRow = k[keyAt + i]; let vRow = v[keyAt + i];
      let x = q[at + i]; let y = dz[at + i];
      scoreA += productsA(kRow, x); scoreB += productsB(kRow, x);
      dpA += productsA(vRow, y); dpB += productsB(vRow, y);
    }
    let total = logSumExp[statistics];
    let mean = delta[statistics];
    let inside = first + lane < rows;
    let visibleA = (keyA <= vec4u(t)) & (keyA < vec4u(keys)) & vec4<bool>(inside);
    let visibleB = (keyB <= vec4u(t)) & (keyB < vec4u(keys)) & vec4<bool>(inside);
    let c = select(vec4f(), exp(params.scale * scoreA - total), visibleA);
    let d = select(vec4f(), exp(params.scale * scoreB - total), visibleB);
    let a = params.scale * c * (dpA - mean);
    let b = params.scale * d * (dpB - mean);
    let rowAt = array<u32, 8>(
      subgroupBroadcast(at, 0u), subgroupBroadcast(at, 1u), subgroupBroadcast(at, 2u), subgroupBroadcast(at, 3u),
      subgroupBroadcast(at, 4u), subgroupBroadcast(at, 5u), subgroupBroadcast(at, 6u), subgroupBroadcast(at, 7u));
    mix(subgroupBroadcast(a, 0u), subgroupBroadcast(b, 0u), subgroupBroadcast(c, 0u), subgroupBroadcast(d, 0u),
        rowAt[0] + loColumn, rowAt[0] + hiColumn);
    mix(subgroupBroadcast(a, 1u), subgroupBroadcast(b, 1u), subgroupBroadcast(c, 1u), subgroupBroadcast(d, 1u),
        rowAt[1] + loColumn, rowAt[1] + hiColumn);
    mix(subgroupBroadcast(a, 2u), subgroupBroadcast(b, 2u), subgroupBroadcast(c, 2u), subgroupBroadcast(d, 2u),
        rowAt[2] + loColumn, rowAt[2] + hiColumn);
    mix(subgroupBroadcast(a, 3u), subgroupBroadcast(b, 3u), subgroupBroadcast(c, 3u), subgroupBroadcast(d, 3u),
        rowAt[3] + loColumn, rowAt[3] + hiColumn);
    mix(subgroupBroadcast(a, 4u), subgroupBroadcast(b, 4u), subgroupBroadcast(c, 4u), subgroupBroadcast(d, 4u),
        rowAt[4] + loColumn, rowAt[4] + hiColumn);
    mix(subgroupBroadcast(a, 5u), subgroupBroadcast(b, 5u), subgroupBroadcast(c, 5u), subgroupBroadcast(d, 5u),
        rowAt[5] + loColumn, rowAt[5] + hiColumn);
    mix(subgroupBroadcast(a, 6u), subgroupBroadcast(b, 6u), subgroupBroadcast(c, 6u), subgroupBroadcast(d, 6u),
        rowAt[6] + loColumn, rowAt[6] + hiColumn);
    mix(subgroupBroadcast(a, 7u), subgroupBroadcast(b, 7u), subgroupBroadcast(c, 7u), subgroupBroadcast(d, 7u),
        rowAt[7] + loColumn, rowAt[7] + hiColumn);
  }
  for (var r = 0u; r < 8u; r++) {
    let at = ((sequence * params.queries + firstKey + r) * params.nKvHeads + kvHead) * quads + column;
    if (firstKey + r < params.queries && column < quads) { dk[at] = kLo[r]; dv[at] = vLo[r]; }
    if (WIDE && firstKey + r < params.queries && column + 8u < quads) { dk[at + 8u] = kHi[r]; dv[at + 8u] = vHi[r]; }
  }
}
