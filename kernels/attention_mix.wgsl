// attention_mix: z[b, t, h] = sum over s of pattern[b, h, t, s] * v[b, s, kv head of h], one thread four columns.
//
// shapes    pattern [batch, nHeads, queries, keys], v [batch, keys, nKvHeads, dHead]
//           -> z [batch, queries, nHeads, dHead]
// types     f32 in, f32 accumulate, f32 out
// grid      quads = batch * queries * nHeads * ceil(dHead / 4) threads in groups of WG, folded to 2-D
// override  WG = 64, ALIGNED
// memory    no workgroup memory, no barrier; reads a row of the pattern once a thread, writes z once
// numerics  keys summed in order; keys of weight 0 are left out, so that room never written cannot spoil a sum
// twin      tests/reference/attention.ts
// calls     head_values

struct Params { quads: u32, queries: u32, keys: u32, nHeads: u32, nKvHeads: u32, dHead: u32 }

@group(0) @binding(0) var<storage, read> pattern: array<f32>;
@group(0) @binding(1) var<storage, read> v: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * groups.x + group.x) * WG + lane;
  if (index >= params.quads) { return; }
  let c = index % quadsPerHead();
  let row = index / quadsPerHead();
  let head = row % params.nHeads;
  let t = row / params.nHeads % params.queries;
  let b = row / (params.nHeads * params.queries);
  let kvHead = head / (params.nHeads / params.nKvHeads);
  let weights = ((b * params.nHeads + head) * params.queries + t) * params.keys;
  var sum: vec4f;
  for (var s = 0u; s < params.keys; s++) {
    let weight = pattern[weights + s];
    if (weight != 0.0) {
      sum += weight * vQuad(((b * params.keys + s) * params.nKvHeads + kvHead) * params.dHead, c);
    }
  }
  let count = min(4u, params.dHead - 4u * c);
  for (var i = 0u; i < count; i++) { z[row * params.dHead + 4u * c + i] = sum[i]; }
}
