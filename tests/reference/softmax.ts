/**
 * Float64 twins of the kernels over rows of logits, one row at a time.
 *
 * @module
 */

/** Twin of `logSumExp` for one row: log(sum(weights * exp(x))), all weights 1 where there are none. */
export function logSumExpRow(x: ArrayLike<number>, weights?: ArrayLike<number>): number {
  const row = Array.from(x);
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(row.reduce((sum, v, i) => sum + (weights?.[i] ?? 1) * Math.exp(v - largest), 0));
}

/** Twin of `logSoftmax` for one row, and of `crossEntropy`'s log-probabilities. */
export function logSoftmaxRow(x: ArrayLike<number>): Float64Array {
  const total = logSumExpRow(x);
  return Float64Array.from(x, (v) => v - total);
}

/** Twin of `softmax` for one row. */
export function softmaxRow(x: ArrayLike<number>): Float64Array {
  return logSoftmaxRow(x).map(Math.exp);
}

/** Twin of `crossEntropyBackward` for one row. */
export function crossEntropyRowBackward(
  x: ArrayLike<number>,
  logProb: number,
  target: number,
  weight: number,
): Float64Array {
  return Float64Array.from(x, (v, i) => {
    const logP = v - x[target]! + logProb;
    return weight * (i === target ? Math.expm1(logP) : Math.exp(logP));
  });
}

/** Twin of `klDivergence` for one row. */
export function klDivergenceRow(x: ArrayLike<number>, logSumExp: number, reference: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const logProb = x[i]! - logSumExp;
    sum += Math.exp(logProb) * (logProb - reference[i]!);
  }
  return sum;
}

/** Twin of `klDivergenceBackward` for one row. */
export function klDivergenceRowBackward(
  x: ArrayLike<number>,
  logSumExp: number,
  reference: ArrayLike<number>,
  kl: number,
  weight: number,
): Float64Array {
  return Float64Array.from(x, (v, i) => {
    const logProb = v - logSumExp;
    return weight * Math.exp(logProb) * (logProb - reference[i]! - kl);
  });
}
