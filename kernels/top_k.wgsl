// top_k: the k largest elements of each row with their indices, descending, one workgroup a row.
//
// shapes    x [rows, width] -> values [rows, k], indices [rows, k]
// types     f32 in, f32 and u32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64 (power of two)
// memory    8 * WG bytes workgroup; reads x `count` times (cache), once for each element found: those from `first` on
// numerics  exact; lowest index first on ties, which includes 0 and -0
// twin      tests/reference/top_k.ts

struct Params { rows: u32, width: u32, k: u32, first: u32, count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

const NONE = 0xffffffffu;
struct Found { value: f32, index: u32 }
var<workgroup> partials: array<Found, WG>;

fn better(a: Found, b: Found) -> Found {
  if (b.index == NONE) { return a; }
  if (a.index == NONE || b.value > a.value || (b.value == a.value && b.index < a.index)) { return b; }
  return a;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let place = row * params.k + params.first;
  let before = max(place, 1u) - 1u;
  var last = Found(values[before], select(indices[before], NONE, params.first == 0u));
  for (var found = 0u; found < params.count; found++) {
    var own = Found(0.0, NONE);
    for (var i = lane; i < params.width; i += WG) {
      let value = x[start + i];
      let left = last.index == NONE || value < last.value || (value == last.value && i > last.index);
      if (left && (own.index == NONE || value > own.value)) { own = Found(value, i); }
    }
    partials[lane] = own;
    workgroupBarrier();
    for (var half = WG / 2u; half > 0u; half >>= 1u) {
      if (lane < half) { partials[lane] = better(partials[lane], partials[lane + half]); }
      workgroupBarrier();
    }
    last = partials[0];
    workgroupBarrier();
    if (lane == 0u) {
      values[place + found] = last.value;
      indices[place + found] = last.index;
    }
  }
}
