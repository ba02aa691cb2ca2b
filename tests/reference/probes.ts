/**
 * Float64 twins of the probe kernels.
 *
 * @module
 */

/** Sum of the twelve chains that start at `start`, `start + 1`, ... after `steps` steps of `c * factor + summand`. */
export function chainSum(start: number, steps: number, factor: number, summand: number): number {
  let sum = 0;
  for (let c = 0; c < 12; c++) {
    let chain = start + c;
    for (let step = 0; step < steps; step++) chain = chain * factor + summand;
    sum += chain;
  }
  return sum;
}

/** Sum of every quad that lane `lane` of block `block` reads: every 256th of the block's 4096. */
export function laneSum(x: ArrayLike<number>, block: number, lane: number): number {
  let sum = 0;
  for (let step = 0; step < 16; step++) {
    const quad = (block * 16 + step) * 256 + lane;
    for (let i = 4 * quad; i < 4 * quad + 4 && i < x.length; i++) sum += x[i]!;
  }
  return sum;
}

/** What invocation `index` finds where lanes follow the index: lane, size, sum of indices, index of lane 3. */
export function subgroupView(index: number, size: number): number[] {
  const lane = index % size;
  const first = index - lane;
  let sum = 0;
  for (let i = first; i < first + size; i++) sum += i;
  return [lane, size, sum, first + 3];
}

/** x * x + x. */
export function squarePlus(x: number): number {
  return x * x + x;
}

/** Dot product of two rows, and the sum of its absolute products. */
export function dotProduct(a: ArrayLike<number>, b: ArrayLike<number>): { value: number; size: number } {
  let value = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    value += a[i]! * b[i]!;
    size += Math.abs(a[i]! * b[i]!);
  }
  return { value, size };
}

/** Where a value lies once each eight are in reverse order. */
export function mirrored(index: number): number {
  return 8 * Math.floor(index / 8) + 7 - index % 8;
}
