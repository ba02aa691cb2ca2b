// head_shares: sums of a head's columns over keys or queries by all threads of a workgroup, four columns and a share of
// the terms each.
//
// needs     WG, at least the quads of a head
// calls     head_quad

var<workgroup> parts: array<vec4f, WG>;

fn shares() -> u32 { return WG / quadsPerHead(); }

// Which of the shares a thread takes; threads left over take none.
fn shareOf(lane: u32) -> u32 { return lane / quadsPerHead(); }

// The four columns of which it takes it.
fn quadOf(lane: u32) -> u32 { return lane % quadsPerHead(); }

// Sum of all shares of a thread's columns.
fn joinShares(part: vec4f, lane: u32) -> vec4f {
  parts[lane] = part;
  workgroupBarrier();
  var sum: vec4f;
  for (var i = 0u; i < shares(); i++) { sum += parts[i * quadsPerHead() + quadOf(lane)]; }
  workgroupBarrier();
  return sum;
}
