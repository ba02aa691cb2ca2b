// sigmoid: 1 / (1 + exp(-x)).
//
// needs     nothing

// Clamped so that exp stays finite, where the value is 0 or 1 in f32 anyway.
fn sigmoid(x: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(clamp(-x, vec4f(-80.0), vec4f(80.0))));
}
