// exp_sum: largest value so far and weighted sum of exp(value - largest), as a pair.
//
// needs     nothing

// Below every logit, and its difference to one is finite.
const LOWEST = -3.0e38;

// With one more value and its weight; one exp whichever is larger.
fn include(so_far: vec2f, value: f32, weight: f32) -> vec2f {
  let difference = value - so_far.x;
  let e = exp(-abs(difference));
  if (difference > 0.0) { return vec2f(value, so_far.y * e + weight); }
  return vec2f(so_far.x, so_far.y + weight * e);
}

// The same for two sets of values.
fn merge(a: vec2f, b: vec2f) -> vec2f {
  let highest = max(a.x, b.x);
  return vec2f(highest, a.y * exp(a.x - highest) + b.y * exp(b.x - highest));
}
