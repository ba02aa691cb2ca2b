// rotary: turns pairs of columns of every head of queries and keys by the angle of the row's position (RoPE).
//
// shapes    q [rows, heads, dHead], k [rows, kvHeads, dHead], position [rows], table [maxPos, dims / 2, 2] (cos, sin)
//           -> yq like q, yk like k
// types     f32, position u32
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64
// memory    no workgroup memory; reads q and k twice (cache), writes yq and yk once
// numerics  angles come from the table, computed in float64 on the host; a position past the table takes its last row
// twin      tests/reference/rotary.ts

struct Params {
  rows: u32, qWidth: u32, kWidth: u32, dHead: u32, dims: u32, maxPos: u32,
  halves: u32, // 1: column i pairs with i + dims / 2; 0: 2 i with 2 i + 1
  sign: f32, // -1 turns back
}

@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> position: array<u32>;
@group(0) @binding(3) var<storage, read> table: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> yq: array<f32>;
@group(0) @binding(5) var<storage, read_write> yk: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

// How a column turns: y = cosine x + sine times the column `distance` further on, or back where it wraps around.
struct Turn { cosine: f32, sine: f32, distance: u32 }

fn turnOf(column: u32, angles: u32) -> Turn {
  if (column >= params.dims) { return Turn(1.0, 0.0, 0u); }
  let half = params.dims / 2u;
  var pair = column / 2u;
  var second = (column & 1u) == 1u;
  var gap = 1u;
  if (params.halves != 0u) {
    second = column >= half;
    pair = select(column, column - half, second);
    gap = half;
  }
  let angle = table[angles + pair];
  return Turn(angle.x, params.sign * select(-angle.y, angle.y, second), select(gap, 0u - gap, second));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let angles = min(position[row], params.maxPos - 1u) * (params.dims / 2u);
  for (var i = lane; i < params.qWidth; i += WG) {
    let turn = turnOf(i % params.dHead, angles);
    let at = row * params.qWidth + i;
    yq[at] = turn.cosine * q[at] + turn.sine * q[at + turn.distance];
  }
  for (var i = lane; i < params.kWidth; i += WG) {
    let turn = turnOf(i % params.dHead, angles);
    let at = row * params.kWidth + i;
    yk[at] = turn.cosine * k[at] + turn.sine * k[at + turn.distance];
  }
}
