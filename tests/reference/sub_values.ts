/**
 * Twins of the kernels that attribution adds: columns of weights, scaled sums, the frozen norm, single elements.
 *
 * @module
 */

/** Twin of `gatherColumns`: column index[i] of a [height, width] matrix, or zeros where there is none. */
export function gatherColumns(weight: ArrayLike<number>, width: number, index: ArrayLike<number>): Float64Array {
  const height = weight.length / width;
  return Float64Array.from({ length: index.length * height }, (_, at) => {
    const column = index[Math.floor(at / height)]!;
    return column < width ? weight[(at % height) * width + column]! : 0;
  });
}

/** Twin of `addScaledRows`: base[slot[i]] + factor[i] * x[i], with zeros for slots past the end. */
export function addScaledRows(
  x: ArrayLike<number>,
  width: number,
  base: ArrayLike<number>,
  slot: ArrayLike<number>,
  factor: ArrayLike<number>,
): Float64Array {
  return Float64Array.from({ length: x.length }, (_, at) => {
    const row = Math.floor(at / width);
    return (base[slot[row]! * width + at % width] ?? 0) + factor[row]! * x[at]!;
  });
}

/** Twin of `frozenNorm` for one row: weight * (x - mean) / scale, or (weight * x - mean) / scale transposed. */
export function frozenNorm(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  scale: number,
  centre: boolean,
  transposed: boolean,
): Float64Array {
  const terms = Float64Array.from(x, (v, i) => transposed ? v * weight[i]! : v);
  const mean = centre ? terms.reduce((sum, v) => sum + v, 0) / terms.length : 0;
  return terms.map((v, i) => (v - mean) / scale * (transposed ? 1 : weight[i]!));
}

/** Twin of `setElements`: a copy of `into` with the elements replaced or added to; indices past the end are skipped. */
export function setElements(
  into: ArrayLike<number>,
  index: ArrayLike<number>,
  value: ArrayLike<number>,
  accumulate: boolean,
): Float64Array {
  const out = Float64Array.from(into);
  for (let i = 0; i < index.length; i++) {
    if (index[i]! < out.length) out[index[i]!] = (accumulate ? out[index[i]!]! : 0) + value[i]!;
  }
  return out;
}
