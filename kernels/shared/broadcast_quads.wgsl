// broadcast_quads: four steps of 16 x 64 inner products, by a subgroup of 8 lanes without memory or barrier.
//
// needs     subgroups of 8 lanes

// One lane's sums: 16 rows, columns col to col + 3 (lo) and col + 32 to col + 35 (hi) of each.
struct BlockSums { lo: array<vec4f, 16>, hi: array<vec4f, 16> }

// Adds the products of four steps. Each lane brings one of the rows 0 to 7 (upper) and one of 8 to 15 (lower), all get
// them by broadcast; and its own columns, one step a matrix column. Constant indices and no loop over rows: a variable
// index would move the sums from registers to memory.
fn addQuads(sums: ptr<function, BlockSums>, upper: vec4f, lower: vec4f, lo: mat4x4f, hi: mat4x4f) {
  { let x = subgroupBroadcast(upper, 0u); (*sums).lo[0] += lo * x; (*sums).hi[0] += hi * x; }
  { let x = subgroupBroadcast(upper, 1u); (*sums).lo[1] += lo * x; (*sums).hi[1] += hi * x; }
  { let x = subgroupBroadcast(upper, 2u); (*sums).lo[2] += lo * x; (*sums).hi[2] += hi * x; }
  { let x = subgroupBroadcast(upper, 3u); (*sums).lo[3] += lo * x; (*sums).hi[3] += hi * x; }
  { let x = subgroupBroadcast(upper, 4u); (*sums).lo[4] += lo * x; (*sums).hi[4] += hi * x; }
  { let x = subgroupBroadcast(upper, 5u); (*sums).lo[5] += lo * x; (*sums).hi[5] += hi * x; }
  { let x = subgroupBroadcast(upper, 6u); (*sums).lo[6] += lo * x; (*sums).hi[6] += hi * x; }
  { let x = subgroupBroadcast(upper, 7u); (*sums).lo[7] += lo * x; (*sums).hi[7] += hi * x; }
  { let x = subgroupBroadcast(lower, 0u); (*sums).lo[8] += lo * x; (*sums).hi[8] += hi * x; }
  { let x = subgroupBroadcast(lower, 1u); (*sums).lo[9] += lo * x; (*sums).hi[9] += hi * x; }
  { let x = subgroupBroadcast(lower, 2u); (*sums).lo[10] += lo * x; (*sums).hi[10] += hi * x; }
  { let x = subgroupBroadcast(lower, 3u); (*sums).lo[11] += lo * x; (*sums).hi[11] += hi * x; }
  { let x = subgroupBroadcast(lower, 4u); (*sums).lo[12] += lo * x; (*sums).hi[12] += hi * x; }
  { let x = subgroupBroadcast(lower, 5u); (*sums).lo[13] += lo * x; (*sums).hi[13] += hi * x; }
  { let x = subgroupBroadcast(lower, 6u); (*sums).lo[14] += lo * x; (*sums).hi[14] += hi * x; }
  { let x = subgroupBroadcast(lower, 7u); (*sums).lo[15] += lo * x; (*sums).hi[15] += hi * x; }
}
