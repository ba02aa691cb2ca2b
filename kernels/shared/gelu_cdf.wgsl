// gelu_cdf: normal distribution function, exact and by tanh.
//
// needs     nothing

// Normal distribution function 0.5 erfc(-x / sqrt(2)) by a Chebyshev fit of erfc with relative error below 1.2e-7.
fn normalCdf(x: vec4f) -> vec4f {
  let z = abs(x) * 0.70710678;
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = vec4f(0.17087277);
  p = p * t - 0.82215223;
  p = p * t + 1.48851587;
  p = p * t - 1.13520398;
  p = p * t + 0.27886807;
  p = p * t - 0.18628806;
  p = p * t + 0.09678418;
  p = p * t + 0.37409196;
  p = p * t + 1.00002368;
  p = p * t - 1.26551223;
  let tail = 0.5 * t * exp(max(p - z * z, vec4f(-120.0)));
  return select(tail, 1.0 - tail, x >= vec4f(0.0));
}

// 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2 u)) with u = sqrt(2 / pi) (x + 0.044715 x^3), free of cancellation for x < 0.
// Beyond |x| = 10 the value is 0 or 1 in f32, and exp stays finite.
fn tanhCdf(x: vec4f) -> vec4f {
  let c = clamp(x, vec4f(-10.0), vec4f(10.0));
  return 1.0 / (1.0 + exp(-1.5957691 * c * (1.0 + 0.044715 * c * c)));
}
