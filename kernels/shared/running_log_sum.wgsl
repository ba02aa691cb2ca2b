// running_log_sum: largest value so far and sum of exp(value - largest), as a pair.
//
// needs     params.cols

// Below every logit, and its difference to one is finite.
const LOWEST = -3.0e38;

// With four more values, those of columns that exist. What does not is left out by a test, not by the exponential of a
// very low number: drivers may give that any value.
fn includeQuad(so_far: vec2f, values: vec4f, cols: vec4u) -> vec2f {
  let exists = cols < vec4u(params.cols);
  let real = select(vec4f(LOWEST), values, exists);
  let largest = max(so_far.x, max(max(real.x, real.y), max(real.z, real.w)));
  let terms = select(vec4f(0.0), exp(real - largest), exists);
  return vec2f(largest, so_far.y * exp(so_far.x - largest) + dot(terms, vec4f(1.0)));
}
