// matvec_store: the sums of a subgroup's lanes, 16 columns of one row.
//
// needs     y, params, ACCUMULATE, subgroups
// calls     matmul_bias

fn storeSums(row: u32, col: u32, lanes: mat4x4f, lane: u32) {
  let sums = mat4x4f(subgroupAdd(lanes[0]), subgroupAdd(lanes[1]), subgroupAdd(lanes[2]), subgroupAdd(lanes[3]));
  // Lane l stores columns l, l + LANES, ...
  for (var j = lane; j < 16u; j += LANES) {
    if (row >= params.rows || col + j >= params.cols) { return; }
    let at = row * params.yStride + col + j;
    var value = params.scale * sums[j >> 2u][j & 3u] + biasAt(col + j);
    if (ACCUMULATE) { value += y[at]; }
    y[at] = value;
  }
}
