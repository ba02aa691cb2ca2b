// head_gradients: fours of a head of dz, and the gradient of a probability of attention.
//
// needs     dz: array<vec4f>
// calls     head_values

fn dzQuad(at: u32, c: u32) -> vec4f {
  let i = (at >> 2u) + c;
  if (ALIGNED) { return dz[i]; }
  return headQuad(dz[i], dz[i + 1u], at, c);
}

// Product of a head of dz and a head of v that begin at these elements.
fn weightGradient(dzAt: u32, vAt: u32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < quadsPerHead(); c++) { sum += dot(dzQuad(dzAt, c), vQuad(vAt, c)); }
  return sum;
}
