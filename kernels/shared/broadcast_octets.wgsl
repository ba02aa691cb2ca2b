// broadcast_octets: eight steps of 16 x 64 inner products, by a subgroup of 8 lanes without memory or barrier.
//
// needs     subgroups of 8 lanes
// calls     matrix_octet

// One lane's sums: 16 rows, columns col to col + 3 (lo) and col + 32 to col + 35 (hi) of each.
struct BlockSums { lo: array<vec4f, 16>, hi: array<vec4f, 16> }

// Eight steps of four columns of b, one step a matrix column.
struct Steps { first: mat4x4f, second: mat4x4f }

// Steps of the columns that have an octet each at `at`.
fn bSteps(at: vec4u) -> Steps {
  let c0 = bOctet(at.x);
  let c1 = bOctet(at.y);
  let c2 = bOctet(at.z);
  let c3 = bOctet(at.w);
  return Steps(transpose(mat4x4f(c0[0], c1[0], c2[0], c3[0])), transpose(mat4x4f(c0[1], c1[1], c2[1], c3[1])));
}

// Adds the products of eight steps, as addQuads does of four: half as many sums go through memory.
fn addOctets(sums: ptr<function, BlockSums>, upper: mat2x4f, lower: mat2x4f, lo: Steps, hi: Steps) {
  { let x = subgroupBroadcast(upper[0], 0u); let z = subgroupBroadcast(upper[1], 0u);
    (*sums).lo[0] += lo.first * x + lo.second * z; (*sums).hi[0] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(upper[0], 1u); let z = subgroupBroadcast(upper[1], 1u);
    (*sums).lo[1] += lo.first * x + lo.second * z; (*sums).hi[1] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(upper[0], 2u); let z = subgroupBroadcast(upper[1], 2u);
    (*sums).lo[2] += lo.first * x + lo.second * z; (*sums).hi[2] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(upper[0], 3u); let z = subgroupBroadcast(upper[1], 3u);
    (*sums).lo[3] += lo.first * x + lo.second * z; (*sums).hi[3] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(upper[0], 4u); let z = subgroupBroadcast(upper[1], 4u);
    (*sums).lo[4] += lo.first * x + lo.second * z; (*sums).hi[4] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(upper[0], 5u); let z = subgroupBroadcast(upper[1], 5u);
    (*sums).lo[5] += lo.first * x + lo.second * z; (*sums).hi[5] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(upper[0], 6u); let z = subgroupBroadcast(upper[1], 6u);
    (*sums).lo[6] += lo.first * x + lo.second * z; (*sums).hi[6] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(upper[0], 7u); let z = subgroupBroadcast(upper[1], 7u);
    (*sums).lo[7] += lo.first * x + lo.second * z; (*sums).hi[7] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 0u); let z = subgroupBroadcast(lower[1], 0u);
    (*sums).lo[8] += lo.first * x + lo.second * z; (*sums).hi[8] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 1u); let z = subgroupBroadcast(lower[1], 1u);
    (*sums).lo[9] += lo.first * x + lo.second * z; (*sums).hi[9] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 2u); let z = subgroupBroadcast(lower[1], 2u);
    (*sums).lo[10] += lo.first * x + lo.second * z; (*sums).hi[10] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 3u); let z = subgroupBroadcast(lower[1], 3u);
    (*sums).lo[11] += lo.first * x + lo.second * z; (*sums).hi[11] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 4u); let z = subgroupBroadcast(lower[1], 4u);
    (*sums).lo[12] += lo.first * x + lo.second * z; (*sums).hi[12] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 5u); let z = subgroupBroadcast(lower[1], 5u);
    (*sums).lo[13] += lo.first * x + lo.second * z; (*sums).hi[13] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 6u); let z = subgroupBroadcast(lower[1], 6u);
    (*sums).lo[14] += lo.first * x + lo.second * z; (*sums).hi[14] += hi.first * x + hi.second * z; }
  { let x = subgroupBroadcast(lower[0], 7u); let z = subgroupBroadcast(lower[1], 7u);
    (*sums).lo[15] += lo.first * x + lo.second * z; (*sums).hi[15] += hi.first * x + hi.second * z; }
}
