// row_sum: sum over a workgroup.
//
// needs     var<workgroup> partials: array<f32, WG>

// Sum of one value a thread by a fixed tree; every thread gets it.
fn rowSum(value: f32, lane: u32) -> f32 {
  partials[lane] = value;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { partials[lane] += partials[lane + half]; }
    workgroupBarrier();
  }
  let sum = partials[0];
  workgroupBarrier();
  return sum;
}
