// rotary: turns pairs of columns of every head by the angle of the row's position (RoPE).
//
// shapes    x [rows, heads, dHead], position [rows], table [maxPos, dims / 2, 2] (cos, sin) -> y like x
// types     f32, position u32
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64
// memory    no workgroup memory; reads x twice (cache), writes y once
// numerics  angles come from the table, computed in float64 on the host; a position past the table takes its last row
// twin      tests/reference/rotary.ts

struct Params {
  rows: u32, width: u32, dHead: u32, dims: u32, maxPos: u32,
  halves: u32, // 1: column i pairs with i + dims / 2; 0: 2 i with 2 i + 1
  sign: f32, // -1 turns back
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> position: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let half = params.dims / 2u;
  let angles = min(position[row], params.maxPos - 1u) * half;
  for (var i = lane; i < params.width; i += WG) {
    let column = i % params.dHead;
    let at = start + i;
    if (column >= params.dims) {
      y[at] = x[at];
      continue;
    }
    var pair = column / 2u;
    var second = (column & 1u) == 1u;
    var gap = 1u;
    if (params.halves != 0u) {
      second = column >= half;
      pair = select(column, column - half, second);
      gap = half;
    }
    let angle = table[angles + pair];
    let other = x[select(at + gap, at - gap, second)];
    let sine = params.sign * select(-angle.y, angle.y, second);
    y[at] = x[at] * angle.x + other * sine;
  }
}
