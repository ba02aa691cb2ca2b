/**
 * First-order error bounds of the norm kernels in f32, from the bound n u sum|terms| of a sum in any order.
 *
 * @module
 */
import { rowStatistics } from "../reference/norms.ts";
import { DIVISION, ROOT, UNIT } from "./operands.ts";

/** Second-order terms, which the bounds leave out, are far below a tenth of the first-order ones. */
const SECOND_ORDER = 1.1;

interface StatisticsError {
  /** Absolute error of each centred value. */
  centred: Float64Array;
  /** Relative error of the scale. */
  scale: number;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

function statisticsError(x: ArrayLike<number>, eps: number, centre: boolean): StatisticsError {
  const row = Float64Array.from(x);
  const { centred, variance } = rowStatistics(row, eps, centre);
  const n = row.length;
  const meanError = centre ? (n * UNIT + DIVISION) * meanOf(row.map(Math.abs)) : 0;
  const error = centred.map((v) => centre ? meanError + UNIT * Math.abs(v) : 0);
  const squares = meanOf(centred.map((v, i) => 2 * Math.abs(v) * error[i]! + error[i]! ** 2));
  const varianceError = squares + ((n + 2) * UNIT + DIVISION) * variance;
  return { centred: error, scale: varianceError / (2 * variance) + UNIT + ROOT };
}

/** Bound of the relative error of `normScale` for one row. */
export function scaleBound(x: ArrayLike<number>, eps: number, centre: boolean): number {
  return SECOND_ORDER * statisticsError(x, eps, centre).scale;
}

/** Bounds of `layerNorm`, or of `rmsNorm` where `bias` is null, for one row. */
export function normBound(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  eps: number,
): Float64Array {
  const { centred, scale } = rowStatistics(x, eps, bias !== null);
  const error = statisticsError(x, eps, bias !== null);
  return centred.map((v, i) => {
    const factor = Math.abs(weight[i]!) / scale;
    const quotient = factor * (error.centred[i]! + Math.abs(v) * (error.scale + DIVISION + UNIT));
    const rounding = UNIT * (factor * Math.abs(v) + 2 * Math.abs(bias?.[i] ?? 0));
    return SECOND_ORDER * (quotient + rounding);
  });
}

/** Bounds of the gradients of the norms for one row with the residual gradient `add` (zeros for none). */
export function normBackwardBound(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  add: ArrayLike<number>,
  eps: number,
  centre: boolean,
): Float64Array {
  const { centred, variance, scale } = rowStatistics(x, eps, centre);
  const error = statisticsError(x, eps, centre);
  const n = centred.length;
  const g = centred.map((_, i) => dy[i]! * weight[i]!);
  const products = g.map((v, i) => v * centred[i]!);
  const sumError = (n + 3) * UNIT + DIVISION;
  const meanG = centre ? meanOf(g) : 0;
  const meanGError = centre ? sumError * meanOf(g.map(Math.abs)) : 0;
  const meanGx = meanOf(products);
  const meanGxError = sumError * meanOf(products.map(Math.abs)) +
    meanOf(g.map((v, i) => Math.abs(v) * error.centred[i]!));
  return centred.map((v, i) => {
    const projection = Math.abs(v * meanGx / variance);
    const inner = meanGError + (error.centred[i]! * Math.abs(meanGx) + Math.abs(v) * meanGxError) / variance +
      projection * (2 * error.scale + DIVISION + 2 * UNIT) +
      3 * UNIT * (Math.abs(g[i]!) + Math.abs(meanG) + projection);
    const value = (g[i]! - meanG - v * meanGx / variance) / scale;
    const outer = Math.abs(value) * (error.scale + DIVISION) + UNIT * (Math.abs(value) + Math.abs(add[i]!));
    return SECOND_ORDER * (inner / scale + outer);
  });
}
