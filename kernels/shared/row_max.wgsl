// row_max: largest value of a workgroup.
//
// needs     var<workgroup> partials: array<f32, WG>

// Largest value of the threads by a fixed tree; every thread gets it.
fn rowMax(value: f32, lane: u32) -> f32 {
  partials[lane] = value;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { partials[lane] = max(partials[lane], partials[lane + half]); }
    workgroupBarrier();
  }
  let largest = partials[0];
  workgroupBarrier();
  return largest;
}
