import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./search_step.wgsl" with { type: "text" };

const kernel = defineKernel({
  name: "search_step",
  code,
  buffers: ["read", "read", "read", "read", "read", "read", "read", "write", "write", "write"],
  params: {
    labels: "u32",
    klRows: "u32",
    vectors: "u32",
    step: "u32",
    lastStep: "u32",
    klFactor: "f32",
    stopBelow: "f32",
    stopOnLoss: "u32",
    switchFactor: "u32",
    baseFactor: "f32",
    klStop: "f32",
  },
});

/** Values before the log-probabilities in a line of the log. */
export const SEARCH_LOG_FIELDS = 8;

/** Operands of {@linkcode searchStep}. */
export interface SearchStepInput {
  /** log p of each label, [labels + klRows] f32; the tail is not read. */
  logProb: Tensor;
  /** Most likely token at each label, u32 [labels + klRows]; the tail is not read. */
  argmax: Tensor;
  /** Wanted token at each label, u32 [labels]. */
  target: Tensor;
  /** Weight of each label's negative log-probability in the loss, [labels] f32. */
  weight: Tensor;
  /** Divergence from the unedited model of each kept row, [klRows] f32 (at least one element is bound). */
  kl: Tensor;
  /** Length of each searched vector, [vectors] f32. */
  norms: Tensor;
  /** Factor of each length in the loss, [vectors] f32. */
  decay: Tensor;
  /** stopped, evaluations, factor, all labels met: u32 [4], zero at first; changed. */
  state: Tensor;
  /** One line a step, [steps, 8 + labels + vectors]: nll, factor, kl, wd, loss, hit, 2 unused, log p, lengths; changed. */
  log: Tensor;
  /** Receives each label's weight times the factor, and 0 for the kept rows behind them, [labels + klRows]. */
  scaled: Tensor;
}

/** Numbers of {@linkcode searchStep}. */
export interface SearchStepOptions {
  /** This step, from 0. */
  step: number;
  /** Most evaluations. */
  steps: number;
  /** Rows with a divergence term. */
  klRows: number;
  /** Factor of the divergence in the loss. */
  klFactor: number;
  /** Ends the search below this value ... */
  stopBelow: number;
  /** ... of the whole loss, or of the negative log-probability alone. */
  stopOn: "loss" | "nll";
  /** PMET's switch: factor 0.1 once every label is met, and the end if the divergence is at most `klStop` by then. */
  switchFactor: boolean;
  /** Factor of the negative log-probability. Default: 1. */
  baseFactor?: number;
  /** See `switchFactor`. Default: 0.01. */
  klStop?: number;
}

/**
 * Encodes the bookkeeping of one search step; once stopped, state and log stay as they are (methods MEMIT, PMET, ACE).
 *
 * @throws {RangeError} If the lengths do not fit together.
 */
export function searchStep(stream: Stream, input: SearchStepInput, options: SearchStepOptions): void {
  const labels = input.target.length;
  const vectors = input.norms.length;
  const width = SEARCH_LOG_FIELDS + labels + vectors;
  if (
    input.logProb.length !== labels + options.klRows || input.argmax.length !== labels + options.klRows ||
    input.weight.length !== labels ||
    input.decay.length !== vectors || input.log.length < width * options.steps ||
    input.scaled.length !== labels + options.klRows
  ) {
    throw new RangeError(
      `Cannot record a search step: found ${labels} labels and ${vectors} vectors, wanted operands of the same lengths ` +
        `and a log of ${options.steps} lines of ${width}`,
    );
  }
  const { logProb, argmax, target, weight, kl, norms, decay, state, log, scaled } = input;
  stream.dispatch(kernel, {
    tensors: [logProb, argmax, target, weight, kl, norms, decay, state, log, scaled],
    params: {
      labels,
      klRows: options.klRows,
      vectors,
      step: options.step,
      lastStep: options.steps - 1,
      klFactor: options.klFactor,
      stopBelow: options.stopBelow,
      stopOnLoss: options.stopOn === "loss" ? 1 : 0,
      switchFactor: options.switchFactor ? 1 : 0,
      baseFactor: options.baseFactor ?? 1,
      klStop: options.klStop ?? 0.01,
    },
    groups: [1, 1, 1],
  });
}
