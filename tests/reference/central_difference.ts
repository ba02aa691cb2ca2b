/**
 * Gradient of a scalar function by central differences in float64.
 *
 * @param f Function of a vector.
 * @param at Where the gradient is taken.
 * @param step Half the distance between the two evaluations; the error falls with its square.
 * @returns One derivative an element.
 */
export function centralDifference(
  f: (x: Float64Array) => number,
  at: ArrayLike<number>,
  step: number = 1e-4,
): Float64Array {
  const x = Float64Array.from(at);
  return Float64Array.from(x, (value, i) => {
    x[i] = value + step;
    const above = f(x);
    x[i] = value - step;
    const below = f(x);
    x[i] = value;
    return (above - below) / (2 * step);
  });
}
