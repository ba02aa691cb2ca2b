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
  // Threads past the end work too: on a CPU driver an early return would mask every step of the chains.
  let at = min(i, params.threads - 1u);
  let factor = params.factor;
  let row = vec4f(params.summand);
  let summand = mat3x4f(row, row, row);
  let first = start[at] + vec4f(0.0, 1.0, 2.0, 3.0);
  var chains = mat3x4f(first, first + 4.0, first + 8.0);
  // Written out: as an inner loop it runs at a fifth of the rate on a CPU driver.
  for (var round = 0u; round < params.rounds; round++) {
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
    chains = chains * factor + summand;
  }
  if (i < params.threads) { y[i] = dot(chains[0] + chains[1] + chains[2], vec4f(1.0)); }
}
