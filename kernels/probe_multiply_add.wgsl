// probe_multiply_add: rounds of 16 multiply-adds on 12 independent chains a thread, to measure the arithmetic peak.
//
// shapes    start [threads] -> y [threads], the sum of a thread's chains
// types     f32 in, f32 accumulate, f32 out
// grid      ceil(threads / WG) workgroups, folded to 2-D
// override  WG = 64
// memory    reads and writes each element once; chains stay in registers: 12 is the most that 16 vector registers hold
// numerics  chain c starts at start + c; each step is c * factor + summand
// twin      tests/reference/probes.ts

struct Params { threads: u32, rounds: u32, factor: f32, summand: f32 }

@group(0) @binding(0) var<storage, read> start: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * WG + lane;
  if (i >= params.threads) { return; }
  let factor = vec4f(params.factor);
  let summand = vec4f(params.summand);
  var c0 = start[i] + vec4f(0.0, 1.0, 2.0, 3.0);
  var c1 = start[i] + vec4f(4.0, 5.0, 6.0, 7.0);
  var c2 = start[i] + vec4f(8.0, 9.0, 10.0, 11.0);
  for (var round = 0u; round < params.rounds; round++) {
    for (var step = 0u; step < 16u; step++) {
      c0 = c0 * factor + summand;
      c1 = c1 * factor + summand;
      c2 = c2 * factor + summand;
    }
  }
  y[i] = dot(c0 + c1 + c2, vec4f(1.0));
}
