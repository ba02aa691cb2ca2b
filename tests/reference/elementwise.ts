/** Twin of `add` and `addInto` in float64: a + scale * b. */
export function addScaled(a: ArrayLike<number>, b: ArrayLike<number>, scale: number): Float64Array {
  return Float64Array.from(a, (value, i) => value + scale * b[i]!);
}
