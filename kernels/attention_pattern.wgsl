// attention_pattern: softmax(scale q k^T) over the keys that a query sees, one workgroup a row of the pattern.
//
// shapes    q [batch, queries, nHeads, dHead], k [batch, keys, nKvHeads, dHead], start [batch], length [batch]
//           -> pattern [batch, nHeads, queries, keys]
// types     f32 in, u32 start and length, f32 accumulate, f32 out
// grid      rows = batch * nHeads * queries workgroups, folded to 2-D; WG threads share a row, one key each in turn
// override  WG = 64 (power of two), ALIGNED
// memory    4 * WG bytes workgroup; reads k once a row, writes the row three times
// numerics  subtracts the largest score; finite for |score| < 1e38; a row that sees no key is 0
// twin      tests/reference/attention.ts
// calls     head_scores, row_max, row_sum

struct Params { rows: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> start: array<u32>;
@group(0) @binding(3) var<storage, read> length: array<u32>;
@group(0) @binding(4) var<storage, read_write> pattern: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

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
  let kvHead = head / (params.nHeads / params.nKvHeads);
  let out = row * params.keys;
  var largest = LOWEST;
  for (var s = lane; s < seen; s += WG) {
    let value = score(qAt, ((b * params.keys + s) * params.nKvHeads + kvHead) * params.dHead);
    pattern[out + s] = value;
    largest = max(largest, value);
  }
  largest = rowMax(largest, lane);
  var sum = 0.0;
  for (var s = lane; s < seen; s += WG) {
    let e = exp(pattern[out + s] - largest);
    pattern[out + s] = e;
    sum += e;
  }
  let total = rowSum(sum, lane);
  for (var s = lane; s < params.keys; s += WG) {
    if (s < seen) { pattern[out + s] /= total; } else { pattern[out + s] = 0.0; }
  }
}
