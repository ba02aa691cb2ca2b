// embedding: looks up rows of a weight matrix.
//
// shapes    weight [vocab, width], ids [rows] -> y [rows, width]
// types     weight f32, f16 or bf16, ids u32, f32 out
// grid      rows workgroups, folded to 2-D; WG threads share a row
// override  WG = 64
// memory    no workgroup memory; reads each row once
// numerics  exact; an id from vocab up gives zeros
// twin      tests/reference/row_moves.ts
// calls     weight_at

struct Params { rows: u32, width: u32, vocab: u32, weightType: u32 }

@group(0) @binding(0) var<storage, read> weight: array<u32>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WG: u32 = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let id = ids[row];
  for (var i = lane; i < params.width; i += WG) {
    var value = 0.0;
    if (id < params.vocab) { value = weightAt(id * params.width + i); }
    y[start + i] = value;
  }
}
