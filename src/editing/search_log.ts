import { SEARCH_LOG_FIELDS } from "../../kernels/search_step.ts";

/** One evaluation of a search, before the update that may follow it. */
export interface SearchStep {
  /** From 0. */
  step: number;
  /** Weighted mean negative log-probability of the labels, without PMET's factor. */
  nll: number;
  /** Factor of `nll` in the loss. */
  factor: number;
  /** Divergence at kept positions times its factor. */
  kl: number;
  /** Penalty on lengths. */
  wd: number;
  /** factor * nll + kl + wd. */
  loss: number;
  /** Whether every label is the most likely token. */
  met: boolean;
  /** Mean negative log-probability of each row that has labels. */
  nllEach: number[];
  /** Length of each vector. */
  norms: number[];
}

/**
 * Takes the log of a search apart.
 *
 * @param lines Log as the GPU wrote it.
 * @param count Evaluations made.
 * @param labelsOfRow Number of labels of each row that has any, in order.
 * @param vectors Number of searched vectors.
 */
export function readSearchLog(
  lines: Float32Array,
  count: number,
  labelsOfRow: readonly number[],
  vectors: number,
): SearchStep[] {
  const labels = labelsOfRow.reduce((a, b) => a + b, 0);
  const width = SEARCH_LOG_FIELDS + labels + vectors;
  return Array.from({ length: count }, (_, step) => {
    const line = lines.subarray(step * width, (step + 1) * width);
    let at = SEARCH_LOG_FIELDS;
    const nllEach = labelsOfRow.map((n) => {
      const sum = line.subarray(at, at + n).reduce((a, b) => a + b, 0);
      at += n;
      return -sum / n;
    });
    return {
      step,
      nll: line[0]!,
      factor: line[1]!,
      kl: line[2]!,
      wd: line[3]!,
      loss: line[4]!,
      met: line[5] !== 0,
      nllEach,
      norms: [...line.subarray(at, at + vectors)],
    };
  });
}
