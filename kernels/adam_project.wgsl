// adam_project: one Adam step on each row, then the row is shortened to its limit; nothing once state[0] is set.
//
// shapes    x, gradient, m, v [rows, width], limit [rows], state [4] -> x, m, v changed
// types     f32, state u32
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    4 * WG bytes workgroup; reads gradient, m and v once, x three times, writes m and v once, x up to twice
// numerics  bias corrections come from the host; epsilon is added after the root; finite for norms below 1e19
// twin      tests/reference/adam.ts
// calls     row_sum

struct Params {
  rows: u32,
  width: u32,
  lr: f32,
  beta1: f32,
  beta2: f32,
  fresh1: f32,
  fresh2: f32,
  correction1: f32,
  correction2: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
@group(0) @binding(4) var<storage, read> limit: array<f32>;
@group(0) @binding(5) var<storage, read> state: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
var<workgroup> partials: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows || state[0] != 0u) { return; }
  let start = row * params.width;
  var squares = 0.0;
  for (var i = start + lane; i < start + params.width; i += WG) {
    let slope = gradient[i];
    let mean = params.beta1 * m[i] + params.fresh1 * slope;
    let square = params.beta2 * v[i] + params.fresh2 * slope * slope;
    let moved = x[i] - params.lr * (mean / params.correction1) / (sqrt(square / params.correction2) + params.epsilon);
    m[i] = mean;
    v[i] = square;
    x[i] = moved;
    squares += moved * moved;
  }
  let norm = sqrt(rowSum(squares, lane));
  if (norm <= limit[row]) { return; }
  let factor = limit[row] / norm;
  for (var i = start + lane; i < start + params.width; i += WG) { x[i] *= factor; }
}
