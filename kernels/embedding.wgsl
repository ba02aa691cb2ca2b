// embedding: looks up rows of a weight matrix.
//
// shapes    weight [vocab, width], of which b holds `count` rows from `first` on, ids [rows] -> y [rows, width]
// types     weight f32, f16, bf16 or packed, ids u32, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64; type of the weight, see below
// memory    no workgroup memory; reads each row once
// numerics  one rounding for packed types with an offset, else exact; an id from vocab up gives zeros
// twin      tests/reference/row_moves.ts
// calls     matrix_element

struct Params { rows: u32, width: u32, first: u32, count: u32, vocab: u32 }

@group(0) @binding(0) var<storage, read> b: array<u32>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let id = ids[row];
  let here = id >= params.first && id - params.first < params.count;
  // Another launch writes the rows that b does not hold; the first one writes those that there are not.
  if (!here && !(params.first == 0u && id >= params.vocab)) { return; }
  for (var i = lane; i < params.width; i += WG) {
    var value = 0.0;
    if (here) { value = bAt((id - params.first) * params.width + i); }
    y[start + i] = value;
  }
}
