// attention_backward_query: gradient of the queries from that of the mixed values, one workgroup a query and head.
//
// p = exp(scale q k^T - logSumExp), dp = dz v^T, delta = sum over columns of dz z, dq = scale p (dp - delta) k
//
// shapes    dz, q, z [batch, queries, nHeads, dHead], k, v [batch, keys, nKvHeads, dHead],
//           logSumExp [batch, nHeads, queries], start, length [batch] -> dq as q, delta as logSumExp
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      rows = batch * nHeads * queries workgroups, folded to 2-D; WG threads share a row: one key each for the
//           slopes, then four columns and a share of the keys each for the sums
// override  WG = 64 (power of two, at least dHead / 4), ALIGNED
// memory    24 * WG bytes workgroup; reads k twice and v once a row
// numerics  no exp overflows, as no score exceeds its logSumExp but by rounding; a row that sees no key gives 0
// twin      tests/reference/attention.ts
// calls     head_gradients, head_scores, head_shares, row_sum

struct Params { rows: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> dz: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> z: array<vec4f>;
@group(0) @binding(5) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(6) var<storage, read> start: array<u32>;
@group(0) @binding(7) var<storage, read> length: array<u32>;
@group(0) @binding(8) var<storage, read_write> dq: array<f32>;
@group(0) @binding(9) var<storage, read_write> delta: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;
var<workgroup> slopes: array<f32, WG>;

fn zQuad(at: u32, c: u32) -> vec4f {
  let i = (at >> 2u) + c;
  if (ALIGNED) { return z[i]; }
  return headQuad(z[i], z[i + 1u], at, c);
}

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
  var own = 0.0;
  if (shareOf(lane) == 0u) { own = dot(dzQuad(qAt, lane), zQuad(qAt, lane)); }
  let mean = rowSum(own, lane);
  if (lane == 0u) { delta[row] = mean; }
  var part: vec4f; // of this thread's columns and share of the keys
  for (var first = 0u; first < seen; first += WG) {
    let at = kvAt + (first + lane) * stride;
    var slope = 0.0;
    if (first + lane < seen) {
      let weight = exp(score(qAt, at) - logSumExp[row]);
      slope = params.scale * weight * (weightGradient(qAt, at) - mean);
    }
    slopes[lane] = slope;
    workgroupBarrier();
    let count = select(0u, min(WG, seen - first), shareOf(lane) < shares());
    for (var i = shareOf(lane); i < count; i += shares()) {
      part += slopes[i] * kQuad(kvAt + (first + i) * stride, quadOf(lane));
    }
    workgroupBarrier();
  }
  let sum = joinShares(part, lane);
  if (shareOf(lane) > 0u) { return; }
  let count = min(4u, params.dHead - 4u * lane);
  for (var i = 0u; i < count; i++) { dq[qAt + 4u * lane + i] = sum[i]; }
}
