/**
 * Float64 twins of the norms and their gradients, one row at a time.
 *
 * @module
 */

/** What a norm computes of one row. */
export interface RowStatistics {
  /** The row minus its mean; the row itself where it is not centred. */
  centred: Float64Array;
  /** Mean of the squares of `centred`, plus eps. */
  variance: number;
  /** Root of `variance`. */
  scale: number;
}

/** Statistics of one row; `centre` is true for layer norm, false for RMS norm. */
export function rowStatistics(x: ArrayLike<number>, eps: number, centre: boolean): RowStatistics {
  const row = Float64Array.from(x);
  const mean = centre ? row.reduce((sum, v) => sum + v, 0) / row.length : 0;
  const centred = row.map((v) => v - mean);
  const variance = centred.reduce((sum, v) => sum + v * v, 0) / row.length + eps;
  return { centred, variance, scale: Math.sqrt(variance) };
}

/** Twin of `layerNorm` for one row, or of `rmsNorm` where `bias` is null. */
export function normRow(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  eps: number,
): Float64Array {
  const { centred, scale } = rowStatistics(x, eps, bias !== null);
  return centred.map((v, i) => v / scale * weight[i]! + (bias === null ? 0 : bias[i]!));
}

/** Twin of `layerNormBackward` (`centre`) and `rmsNormBackward` for one row, without the residual gradient. */
export function normRowBackward(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  eps: number,
  centre: boolean,
): Float64Array {
  const { centred, variance, scale } = rowStatistics(x, eps, centre);
  const width = centred.length;
  const g = centred.map((_, i) => dy[i]! * weight[i]!);
  const meanG = centre ? g.reduce((sum, v) => sum + v, 0) / width : 0;
  const meanGx = g.reduce((sum, v, i) => sum + v * centred[i]!, 0) / width;
  return g.map((v, i) => (v - meanG - centred[i]! * meanGx / variance) / scale);
}
