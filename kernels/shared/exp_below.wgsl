// exp_below: the exponential of what is not above zero.
//
// needs     nothing

// exp(x) for x <= 0 by a fit of 2^f on [-0.5, 0.5] with relative error below 2e-7 in f32; 0 below -88. A driver's own
// exp also serves arguments above 0, infinities and NaN, at a third more instructions.
fn expBelow(x: vec4f) -> vec4f {
  let t = max(1.442695 * x, vec4f(-127.0));
  let whole = round(t);
  let f = t - whole;
  let fit = ((((0.001326472 * f + 0.009671513) * f + 0.055507336) * f + 0.24022242) * f + 0.693147) * f + 1.0;
  return fit * bitcast<vec4f>((vec4i(whole) + 127) << vec4u(23u));
}
