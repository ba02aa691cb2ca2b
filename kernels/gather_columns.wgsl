// gather_columns: y[first + i] = weight[:, index[first + i]].
//
// shapes    weight [height, width], of which b holds `count` rows from `top` on, index [count] -> y [count, height], of
//           which `rows` from `first` on are written
// types     weight f32, f16, bf16 or packed, index u32, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a column
// override  WG = 64; type of the weight, see below
// memory    no workgroup memory; reads each column once, in strides of `width`
// numerics  one rounding for packed types with an offset, else exact; an index from width up gives zeros
// twin      tests/reference/sub_values.ts
// calls     matrix_element

struct Params { rows: u32, first: u32, height: u32, width: u32, top: u32, count: u32 }

@group(0) @binding(0) var<storage, read> b: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;
override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = group.y * groups.x + group.x;
  if (i >= params.rows) { return; }
  let row = params.first + i;
  let start = row * params.height + params.top;
  let column = index[row];
  for (var j = lane; j < params.count; j += WG) {
    var value = 0.0;
    if (column < params.width) { value = bAt(j * params.width + column); }
    y[start + j] = value;
  }
}
