// matmul_params: parameters, type and epilogue of a product y = scale * a b + bias.
//
// needs     nothing

// Terms `first` to `end` of each sum are added, all of `inner` where one launch may loop that long.
struct Params {
  rows: u32, rowBlocks: u32, cols: u32, inner: u32, first: u32, end: u32, aStride: u32, yStride: u32, scale: f32
}
@group(1) @binding(0) var<uniform> params: Params;

override B_TYPE: u32 = 0u; // 0 f32, 1 f16, 2 bf16, packed from 3 on
override BIAS_TYPE: u32 = 3u; // 0 f32, 1 f16, 2 bf16, 3 no bias
override ACCUMULATE: bool = false; // adds to y
