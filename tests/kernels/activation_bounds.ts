/**
 * First-order relative error bounds of the functions inside the activation kernels in f32.
 *
 * @module
 */
import { tanhArgument } from "../reference/activations.ts";
import { DIVISION, expError, UNIT } from "./operands.ts";

/** Relative error of the fit of erfc that the kernels use, as published with its coefficients. */
const FIT = 1.2e-7;

/** Coefficients of that fit, from the highest power of t down. */
const COEFFICIENTS = [
  0.17087277,
  -0.82215223,
  1.48851587,
  -1.13520398,
  0.27886807,
  -0.18628806,
  0.09678418,
  0.37409196,
  1.00002368,
  -1.26551223,
];

/** Numbers at which activations are compared: zero, both tails past every clamp, and a grid in between. */
export function activationPoints(): Float32Array<ArrayBuffer> {
  const grid = Array.from({ length: 241 }, (_, i) => (i - 120) / 20);
  return Float32Array.of(0, -0, 1e-30, -1e-30, 9.99, -9.99, 10.01, -10.01, 14.1, -14.1, 50, -50, 1e4, -1e4, ...grid);
}

/** Bound for 1 / (1 + exp(-a)) where `a` itself has `relative` error. */
export function sigmoidBound(a: number, relative: number): number {
  const share = 1 / (1 + Math.exp(a)); // derivative of log sigmoid
  return share * (relative * Math.abs(a) + expError(a)) + DIVISION + UNIT;
}

/** Bound for the tanh approximation of the normal distribution function: six roundings in the argument. */
export function tanhCdfBound(x: number): number {
  return sigmoidBound(2 * tanhArgument(x), 6 * UNIT);
}

/** Bound for the normal distribution function by the fit of erfc, with the running error of Horner's rule. */
export function normalCdfBound(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  let value = 0;
  let slope = 0;
  let rounding = 0;
  for (const coefficient of COEFFICIENTS) {
    const product = value * t;
    slope = slope * t + value;
    value = product + coefficient;
    rounding = rounding * t + UNIT * (Math.abs(product) + Math.abs(value) + Math.abs(coefficient));
  }
  // The argument of exp: Horner, the error of t, that of z^2, and the last subtraction.
  const argument = rounding + Math.abs(slope) * t * (DIVISION + 2 * UNIT) + 5 * UNIT * z * z + UNIT * (z * z - value);
  return FIT + argument + expError(value - z * z) + DIVISION + 4 * UNIT;
}
