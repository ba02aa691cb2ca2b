/**
 * Float64 twins of the activations and their derivatives, one number at a time.
 *
 * @module
 */

/** Complement of the error function for z >= 2, by the continued fraction of Laplace evaluated from the far end. */
function erfcTail(z: number): number {
  let fraction = 0;
  for (let k = 200; k > 0; k--) fraction = k / 2 / (z + fraction);
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction);
}

/** Error function by the series exp(-z^2) 2 / sqrt(pi) sum 2^n z^(2n+1) / (1 * 3 * ... * (2n+1)), all of one sign. */
function erfSeries(z: number): number {
  let term = z;
  let sum = z;
  for (let n = 1; n < 200; n++) {
    term *= 2 * z * z / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-z * z) * sum;
}

/** Normal distribution function with small relative error in both tails. */
export function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const upper = z < 2 ? (1 - erfSeries(z)) / 2 : erfcTail(z) / 2;
  return x < 0 ? upper : 1 - upper;
}

/** Density of the normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** Logistic function. */
export function sigmoid(x: number): number {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/** Argument u of the tanh approximation 0.5 (1 + tanh(u)) of the normal distribution function. */
export function tanhArgument(x: number): number {
  return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
}

/** Derivative of {@linkcode tanhArgument}. */
export function tanhArgumentSlope(x: number): number {
  return Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
}

/** Twin of `gelu`. */
export function gelu(x: number, kind: "tanh" | "exact"): number {
  return x * (kind === "exact" ? normalCdf(x) : sigmoid(2 * tanhArgument(x)));
}

/** Twin of `geluBackward` for dy = 1. */
export function geluSlope(x: number, kind: "tanh" | "exact"): number {
  if (kind === "exact") return normalCdf(x) + x * normalDensity(x);
  const u = tanhArgument(x);
  return sigmoid(2 * u) + 2 * x * sigmoid(2 * u) * sigmoid(-2 * u) * tanhArgumentSlope(x);
}

/** Twin of `siluGated`. */
export function siluGated(gate: number, up: number): number {
  return gate * sigmoid(gate) * up;
}

/** Twin of `siluGatedBackward` for dy = 1: the derivatives by gate and by up. */
export function siluGatedSlopes(gate: number, up: number): [number, number] {
  const s = sigmoid(gate);
  return [up * s * (1 + gate * sigmoid(-gate)), gate * s];
}
