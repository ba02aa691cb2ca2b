// head_scores: fours of heads of q and k, and products of a head of each.
//
// needs     q, k: array<vec4f>, params.scale
// calls     head_quad

fn qQuad(at: u32, c: u32) -> vec4f {
  let i = (at >> 2u) + c;
  if (ALIGNED) { return q[i]; }
  return headQuad(q[i], q[i + 1u], at, c);
}

fn kQuad(at: u32, c: u32) -> vec4f {
  let i = (at >> 2u) + c;
  if (ALIGNED) { return k[i]; }
  return headQuad(k[i], k[i + 1u], at, c);
}

// Scaled product of a head of q and a head of k that begin at these elements.
fn score(qAt: u32, kAt: u32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < quadsPerHead(); c++) { sum += dot(qQuad(qAt, c), kQuad(kAt, c)); }
  return params.scale * sum;
}
