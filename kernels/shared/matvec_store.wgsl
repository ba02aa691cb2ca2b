// matvec_store: the sums of one row, a column or those of 16 columns that a subgroup's lanes have parts of.
//
// needs     y, params, ACCUMULATE, LANES, subgroups
// calls     matmul_bias

fn storeSum(row: u32, col: u32, sum: f32) {
  if (row >= params.rows || col >= params.cols) { return; }
  let at = row * params.yStride + col;
  var value = params.scale * sum + biasAt(col);
  if (ACCUMULATE) { value += y[at]; }
  y[at] = value;
}

// The sum over 8 lanes.
fn eightSum(x: vec4f) -> vec4f {
  let first = subgroupBroadcast(x, 0u) + subgroupBroadcast(x, 1u);
  let second = subgroupBroadcast(x, 2u) + subgroupBroadcast(x, 3u);
  let third = subgroupBroadcast(x, 4u) + subgroupBroadcast(x, 5u);
  return first + second + third + (subgroupBroadcast(x, 6u) + subgroupBroadcast(x, 7u));
}

// The value that belongs to one of 8 lanes.
fn ofLane(first: vec4f, last: vec4f, lane: u32) -> f32 {
  let four = select(first, last, lane > 3u);
  let two = select(four.xy, four.zw, (lane & 2u) != 0u);
  return select(two.x, two.y, (lane & 1u) != 0u);
}

fn storeSums(row: u32, col: u32, lanes: mat4x4f, lane: u32) {
  if (LANES == 8u) {
    // Written out for Mesa's CPU driver, which adds up a subgroup and finds an element by index lane by lane in memory.
    storeSum(row, col + lane, ofLane(eightSum(lanes[0]), eightSum(lanes[1]), lane));
    storeSum(row, col + lane + 8u, ofLane(eightSum(lanes[2]), eightSum(lanes[3]), lane));
    return;
  }
  let sums = mat4x4f(subgroupAdd(lanes[0]), subgroupAdd(lanes[1]), subgroupAdd(lanes[2]), subgroupAdd(lanes[3]));
  for (var j = lane; j < 16u; j += LANES) { storeSum(row, col + j, sums[j >> 2u][j & 3u]); }
}
