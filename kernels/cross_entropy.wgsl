// cross_entropy: log-probability of a wanted token, log-sum-exp and most likely token of each row in one pass.
//
// shapes    logits [rows, width], wanted [rows] -> logProb [rows], logSumExp [rows], best [rows]
// types     f32 in, u32 indices, f32 accumulate, f32 and u32 out
// grid      rows workgroups, folded to 2-D; one workgroup of WG threads a row
// override  WG = 64 (power of two)
// memory    12 * WG bytes workgroup; reads logits once, stores no probability
// numerics  running maximum, so no exp overflows; finite for |logits| < 1e38; lowest index on ties
// twin      tests/reference/softmax.ts

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> wanted: array<u32>;
@group(0) @binding(2) var<storage, read_write> logProb: array<f32>;
@group(0) @binding(3) var<storage, read_write> logSumExp: array<f32>;
@group(0) @binding(4) var<storage, read_write> best: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

// What is known of a set of logits: the largest, the lowest index that has it, and the sum of exp(logit - largest).
struct Found { largest: f32, sum: f32, index: u32 }
var<workgroup> partials: array<Found, WG>;

// Below every logit, and its difference to one is finite.
const LOWEST = -3.0e38;
const NONE = 0xffffffffu;

fn include(so_far: Found, value: f32, index: u32) -> Found {
  let difference = value - so_far.largest;
  let e = exp(-abs(difference));
  if (difference > 0.0) { return Found(value, so_far.sum * e + 1.0, index); }
  return Found(so_far.largest, so_far.sum + e, so_far.index);
}

fn merge(a: Found, b: Found) -> Found {
  let largest = max(a.largest, b.largest);
  let sum = a.sum * exp(a.largest - largest) + b.sum * exp(b.largest - largest);
  let second = b.largest > a.largest || (b.largest == a.largest && b.index < a.index);
  return Found(largest, sum, select(a.index, b.index, second));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var own = Found(LOWEST, 0.0, NONE);
  for (var i = lane; i < params.width; i += WG) { own = include(own, logits[start + i], i); }
  partials[lane] = own;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { partials[lane] = merge(partials[lane], partials[lane + half]); }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let found = partials[0];
    let logSum = log(found.sum);
    logProb[row] = logits[start + wanted[row]] - found.largest - logSum;
    logSumExp[row] = found.largest + logSum;
    best[row] = found.index;
  }
}
