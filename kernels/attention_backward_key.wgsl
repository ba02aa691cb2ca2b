// attention_backward_key: gradients of keys and values at the queries' own positions, one workgroup a key and head.
//
// p = exp(scale q k^T - logSumExp), dp = dz v^T, dk = scale sum p (dp - delta) q, dv = sum p dz, over the queries that
// see the key and the query heads that it serves
//
// shapes    dz, q [batch, queries, nHeads, dHead], k, v [batch, keys, nKvHeads, dHead],
//           logSumExp, delta [batch, nHeads, queries], start, length [batch]
//           -> dk, dv [batch, queries, nKvHeads, dHead]
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      rows = batch * nKvHeads * queries workgroups, folded to 2-D; WG threads share a row: one query each for the
//           slopes, then four columns and a share of the queries each for the sums
// override  WG = 64 (power of two, at least dHead / 4), ALIGNED
// memory    24 * WG bytes workgroup; reads q and dz twice a row
// numerics  no exp overflows, as no score exceeds its logSumExp but by rounding; a key that nobody sees gives 0
// twin      tests/reference/attention.ts
// calls     head_gradients, head_scores, head_shares

struct Params { rows: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> dz: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read> start: array<u32>;
@group(0) @binding(7) var<storage, read> length: array<u32>;
@group(0) @binding(8) var<storage, read_write> dk: array<f32>;
@group(0) @binding(9) var<storage, read_write> dv: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> slopes: array<f32, WG>;
var<workgroup> weights: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let u = row % params.queries;
  let kvHead = row / params.queries % params.nKvHeads;
  let b = row / (params.queries * params.nKvHeads);
  let s = start[b] + u;
  let out = ((b * params.queries + u) * params.nKvHeads + kvHead) * params.dHead;
  let real = s < min(length[b], params.keys);
  let kvAt = ((b * params.keys + s) * params.nKvHeads + kvHead) * params.dHead;
  let heads = params.nHeads / params.nKvHeads;
  // Query i of the row is head i % heads at position u + i / heads.
  let seenBy = select(0u, (params.queries - u) * heads, real);
  var kPart: vec4f; // of this thread's columns and share of the queries
  var vPart: vec4f;
  for (var first = 0u; first < seenBy; first += WG) {
    let i = first + lane;
    var slope = 0.0;
    var weight = 0.0;
    if (i < seenBy) {
      let t = u + i / heads;
      let head = kvHead * heads + i % heads;
      let at = ((b * params.queries + t) * params.nHeads + head) * params.dHead;
      let statistics = (b * params.nHeads + head) * params.queries + t;
      weight = exp(score(at, kvAt) - logSumExp[statistics]);
      slope = params.scale * weight * (weightGradient(at, kvAt) - delta[statistics]);
    }
    slopes[lane] = slope;
    weights[lane] = weight;
    workgroupBarrier();
    let count = select(0u, min(WG, seenBy - first), shareOf(lane) < shares());
    for (var j = shareOf(lane); j < count; j += shares()) {
      let t = u + (first + j) / heads;
      let at = ((b * params.queries + t) * params.nHeads + kvHead * heads + (first + j) % heads) * params.dHead;
      kPart += slopes[j] * qQuad(at, quadOf(lane));
      vPart += weights[j] * dzQuad(at, quadOf(lane));
    }
    workgroupBarrier();
  }
  let kSum = joinShares(kPart, lane);
  let vSum = joinShares(vPart, lane);
  if (shareOf(lane) > 0u) { return; }
  let count = min(4u, params.dHead - 4u * lane);
  for (var i = 0u; i < count; i++) {
    dk[out + 4u * lane + i] = kSum[i];
    dv[out + 4u * lane + i] = vSum[i];
  }
}
