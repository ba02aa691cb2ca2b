// search_step: one step's bookkeeping of a target search: loss, stop test, weights of the gradient, log line.
//
// shapes    target, weight [labels]; logProb, argmax [labels + klRows]; kl [klRows]; norms [vectors]; decay [vectors];
//           state [4] = stopped, evaluations, factor (f32 bits), hit;
//           log [steps, 8 + labels + vectors]; scaled [labels + klRows]
// types     f32, u32 indices
// grid      one workgroup of one thread: sums over at most a few thousand labels
// override  none
// memory    reads and writes each element once
// numerics  sums in label order, so that the step at which a search ends repeats exactly
// twin      tests/reference/search.ts
struct Params {
  labels: u32,
  klRows: u32,
  vectors: u32,
  step: u32,
  lastStep: u32,
  klFactor: f32,
  stopBelow: f32,
  stopOnLoss: u32,
  switchFactor: u32,
  baseFactor: f32,
  klStop: f32,
}

@group(0) @binding(0) var<storage, read> logProb: array<f32>;
@group(0) @binding(1) var<storage, read> argmax: array<u32>;
@group(0) @binding(2) var<storage, read> target_id: array<u32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> kl: array<f32>;
@group(0) @binding(5) var<storage, read> norms: array<f32>;
@group(0) @binding(6) var<storage, read> decay: array<f32>;
@group(0) @binding(7) var<storage, read_write> state: array<u32>;
@group(0) @binding(8) var<storage, read_write> log: array<f32>;
@group(0) @binding(9) var<storage, read_write> scaled: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  let factor = select(bitcast<f32>(state[2]), params.baseFactor, params.step == 0u);
  for (var i = 0u; i < params.labels; i++) { scaled[i] = factor * weight[i]; }
  for (var i = 0u; i < params.klRows; i++) { scaled[params.labels + i] = 0.0; }
  if (state[0] != 0u) { return; }

  var nll = 0.0;
  var hit = 1u;
  let width = 8u + params.labels + params.vectors;
  let line = params.step * width;
  for (var i = 0u; i < params.labels; i++) {
    nll -= weight[i] * logProb[i];
    if (argmax[i] != target_id[i]) { hit = 0u; }
    log[line + 8u + i] = logProb[i];
  }
  var divergence = 0.0;
  for (var i = 0u; i < params.klRows; i++) { divergence += params.klFactor * kl[i]; }
  var penalty = 0.0;
  for (var i = 0u; i < params.vectors; i++) {
    penalty += decay[i] * norms[i];
    log[line + 8u + params.labels + i] = norms[i];
  }
  let loss = factor * nll + divergence + penalty;
  log[line] = nll;
  log[line + 1u] = factor;
  log[line + 2u] = divergence;
  log[line + 3u] = penalty;
  log[line + 4u] = loss;
  log[line + 5u] = f32(hit);

  var stop = select(nll, loss, params.stopOnLoss != 0u) < params.stopBelow || params.step == params.lastStep;
  var next = factor;
  if (params.switchFactor != 0u) {
    next = params.baseFactor * select(1.0, 0.1, hit != 0u);
    if (hit != 0u && divergence <= params.klStop) { stop = true; }
  }
  state[0] = u32(stop);
  state[1] = params.step + 1u;
  state[2] = bitcast<u32>(next);
  state[3] = hit;
}
