// argmax: index of the largest element of each row, one workgroup a row.
//
// shapes    x [rows, width] -> best [rows]
// types     f32 in, u32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    8 * WG bytes workgroup; reads x once
// numerics  exact; lowest index on ties, which includes 0 and -0
// twin      tests/reference/top_k.ts

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> best: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

struct Found { value: f32, index: u32 }
var<workgroup> partials: array<Found, WG>;

fn better(a: Found, b: Found) -> Found {
  if (b.value > a.value || (b.value == a.value && b.index < a.index)) { return b; }
  return a;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  // Threads past the end of a short row repeat its last element, which changes nothing.
  let first = min(lane, params.width - 1u);
  var own = Found(x[start + first], first);
  for (var i = lane + WG; i < params.width; i += WG) {
    let value = x[start + i];
    if (value > own.value) { own = Found(value, i); }
  }
  partials[lane] = own;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { partials[lane] = better(partials[lane], partials[lane + half]); }
    workgroupBarrier();
  }
  if (lane == 0u) { best[row] = partials[0].index; }
}
