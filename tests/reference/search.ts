/**
 * Float64 twins of the search's own kernels.
 *
 * @module
 */
import { normOf } from "./adam.ts";

/** Numbers of one search step. */
export interface SearchNumbers {
  step: number;
  steps: number;
  klFactor: number;
  stopBelow: number;
  stopOn: "loss" | "nll";
  switchFactor: boolean;
  baseFactor: number;
  klStop: number;
}

/** What one search step reads. */
export interface SearchReading {
  logProb: ArrayLike<number>;
  argmax: ArrayLike<number>;
  target: ArrayLike<number>;
  weight: ArrayLike<number>;
  kl: ArrayLike<number>;
  norms: ArrayLike<number>;
  decay: ArrayLike<number>;
  /** Factor that the step before left; not read at step 0. */
  factor: number;
}

/** What one search step decides. */
export interface SearchDecision {
  nll: number;
  factor: number;
  kl: number;
  wd: number;
  loss: number;
  met: boolean;
  stopped: boolean;
  /** Factor of the next step. */
  nextFactor: number;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** Twin of `searchStep` for a search that has not stopped (methods of MEMIT, PMET and ACE). */
export function searchDecision(reading: SearchReading, numbers: SearchNumbers): SearchDecision {
  const { logProb, argmax, target, weight, kl, norms, decay } = reading;
  const factor = numbers.step === 0 ? numbers.baseFactor : reading.factor;
  const nll = -dot(weight, logProb);
  const divergence = numbers.klFactor * Array.from(kl).reduce((sum, x) => sum + x, 0);
  const wd = dot(decay, norms);
  const loss = factor * nll + divergence + wd;
  const met = Array.from(target).every((token, i) => token === argmax[i]);
  const below = (numbers.stopOn === "loss" ? loss : nll) < numbers.stopBelow;
  const settled = numbers.switchFactor && met && divergence <= numbers.klStop;
  return {
    nll,
    factor,
    kl: divergence,
    wd,
    loss,
    met,
    stopped: below || settled || numbers.step === numbers.steps - 1,
    nextFactor: numbers.switchFactor ? numbers.baseFactor * (met ? 0.1 : 1) : factor,
  };
}

/** Penalty whose gradient `decayGradient` adds, for one row. */
export function decayPenalty(x: ArrayLike<number>, decay: number): number {
  return decay * normOf(x);
}

/** Twin of `decayGradient` for one row: the gradient of {@linkcode decayPenalty}, 0 at 0. */
export function decaySlope(x: ArrayLike<number>, decay: number): Float64Array {
  const norm = normOf(x);
  return Float64Array.from(x, (value) => norm === 0 ? 0 : decay * value / norm);
}
