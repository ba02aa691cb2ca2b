// head_values: fours of a head of v.
//
// needs     v: array<vec4f>
// calls     head_quad

fn vQuad(at: u32, c: u32) -> vec4f {
  let i = (at >> 2u) + c;
  if (ALIGNED) { return v[i]; }
  return headQuad(v[i], v[i + 1u], at, c);
}
