// attention: z = softmax(scale q k^T) v over the keys that a query sees, one workgroup a query and head.
//
// shapes    q [batch, queries, nHeads, dHead], k [batch, keys, nKvHeads, dHead], v the same, start [batch],
//           length [batch] -> z [batch, queries, nHeads, dHead], logSumExp [batch, nHeads, queries]
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      rows = batch * nHeads * queries workgroups, folded to 2-D; WG threads share a row: one key each for the
//           scores, then four columns and a share of the keys each for the mix
// override  WG = 64 (power of two, at least dHead / 4), ALIGNED
// memory    24 * WG bytes workgroup; reads k and v once a row
// numerics  running maximum, so no exp overflows; finite for |score| < 1e38; a row that sees no key gives z = 0
// twin      tests/reference/attention.ts
// calls     head_scores, head_shares, head_values, row_max, row_sum

struct Params { rows: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> start: array<u32>;
@group(0) @binding(4) var<storage, read> length: array<u32>;
@group(0) @binding(5) var<storage, read_write> z: array<f32>;
@group(0) @binding(6) var<storage, read_write> logSumExp: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;
var<workgroup> weights: array<f32, WG>;

// Below every score.
const LOWEST = -3.0e38;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let t = row % params.queries;
  let head = row / params.queries % params.nHeads;
  let b = row / (params.queries * params.nHeads);
  let seen = min(min(start[b] + t + 1u, length[b]), params.keys);
  let qAt = ((b * params.queries + t) * params.nHeads + head) * params.dHead;
  let stride = params.nKvHeads * params.dHead;
  let kvAt = b * params.keys * stride + head / (params.nHeads / params.nKvHeads) * params.dHead;
  var largest = LOWEST;
  var total = 0.0;
  var mixed: vec4f; // of this thread's columns and share of the keys
  for (var first = 0u; first < seen; first += WG) {
    let s = first + lane;
    var value = LOWEST;
    if (s < seen) { value = score(qAt, kvAt + s * stride); }
    let highest = max(largest, rowMax(value, lane));
    let weight = select(0.0, exp(value - highest), s < seen);
    weights[lane] = weight;
    let factor = exp(largest - highest);
    total = total * factor + rowSum(weight, lane);
    largest = highest;
    mixed *= factor;
    let count = select(0u, min(WG, seen - first), shareOf(lane) < shares());
    for (var i = shareOf(lane); i < count; i += shares()) {
      mixed += weights[i] * vQuad(kvAt + (first + i) * stride, quadOf(lane));
    }
  }
  if (seen > 0u) {
    mixed /= total;
    largest += log(total);
  }
  if (lane == 0u) { logSumExp[row] = largest; }
  let sum = joinShares(mixed, lane);
  if (shareOf(lane) > 0u) { return; }
  let count = min(4u, params.dHead - 4u * lane);
  for (var i = 0u; i < count; i++) { z[qAt + 4u * lane + i] = sum[i]; }
}
