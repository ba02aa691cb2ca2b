/**
 * Twins of the kernels that move and sum rows, on row-major arrays of a given width.
 *
 * @module
 */

/** Twin of `embedding` and `gatherRows`: row index[i] of `x`, or zeros where there is none. */
export function gatherRows(x: ArrayLike<number>, width: number, index: ArrayLike<number>): Float64Array {
  const out = new Float64Array(index.length * width);
  for (let i = 0; i < out.length; i++) {
    out[i] = x[index[Math.floor(i / width)]! * width + i % width] ?? 0;
  }
  return out;
}

/** Twin of `scatterRows`: `into` with row index[i] replaced by row i of `x`, rows past the end skipped. */
export function scatterRows(
  x: ArrayLike<number>,
  width: number,
  index: ArrayLike<number>,
  into: ArrayLike<number>,
): Float64Array {
  const out = Float64Array.from(into);
  for (let i = 0; i < x.length; i++) {
    const at = index[Math.floor(i / width)]! * width + i % width;
    if (at < out.length) out[at] = x[i]!;
  }
  return out;
}

/** Twin of `sumRowsBySlot` and `scatterAddRows`: adds weights[i] * x[from[i]] to row to[i] of a copy of `into`. */
export function addRows(
  x: ArrayLike<number>,
  width: number,
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  weights: ArrayLike<number>,
  into: ArrayLike<number>,
): Float64Array {
  const out = Float64Array.from(into);
  for (let i = 0; i < from.length; i++) {
    if ((from[i]! + 1) * width > x.length || (to[i]! + 1) * width > out.length) continue;
    for (let c = 0; c < width; c++) out[to[i]! * width + c]! += weights[i]! * x[from[i]! * width + c]!;
  }
  return out;
}
