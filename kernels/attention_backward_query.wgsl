// attention_backward_query: gradient of the queries from that of the mixed values, one workgroup a query and head.
//
// p = exp(scale q k^T - logSumExp), dp = dz v^T, delta = sum over columns of dz z, dq = scale p (dp - delta) k
//
// shapes    dz, q, z [batch, queries, nHeads, dHead], k, v [batch, keys, nKvHeads, dHead],
//           logSumExp [batch, nHeads, queries], start, length [batch] -> dq as q, delta as logSumExp
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      rows = batch * nHeads * queries workgroups, folded to 2-D; WG threads share a row: one key each for the
//           slopes, then one column each in turn for the sums
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads k twice and v once a row; sums stay in dq, which its thread alone uses
// numerics  no exp overflows, as no score exceeds its logSumExp but by rounding; a row that sees no key gives 0
// twin      tests/reference/attention.ts
// calls     row_sum

struct Params { rows: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> dz: array<f32>;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> z: array<f32>;
@group(0) @binding(5) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(6) var<storage, read> start: array<u32>;
@group(0) @binding(7) var<storage, read> length: array<u32>;
@group(0) @binding(8) var<storage, read_write> dq: array<f32>;
@group(0) @binding(9) var<storage, read_write> delta: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

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
  for (var d = lane; d < params.dHead; d += WG) {
    own += dz[qAt + d] * z[qAt + d];
    dq[qAt + d] = 0.0;
  }
  let mean = rowSum(own, lane);
  if (lane == 0u) { delta[row] = mean; }
  for (var first = 0u; first < seen; first += WG) {
    let at = kvAt + (first + lane) * stride;
    var slope = 0.0;
    if (first + lane < seen) {
      var score = 0.0;
      var dp = 0.0;
      for (var d = 0u; d < params.dHead; d++) {
        score += q[qAt + d] * k[at + d];
        dp += dz[qAt + d] * v[at + d];
      }
      slope = params.scale * exp(params.scale * score - logSumExp[row]) * (dp - mean);
    }
    partials[lane] = slope;
    workgroupBarrier();
    let count = min(WG, seen - first);
    for (var d = lane; d < params.dHead; d += WG) {
      var sum = dq[qAt + d];
      for (var i = 0u; i < count; i++) { sum += partials[i] * k[kvAt + (first + i) * stride + d]; }
      dq[qAt + d] = sum;
    }
    workgroupBarrier();
  }
}
