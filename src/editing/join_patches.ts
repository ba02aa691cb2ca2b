import type { LowRankPatch } from "../model/patched_weight.ts";

/**
 * Joins changes of the same weight to one of their ranks added up, so that each weight stands once: what several requests
 * or stages write to one layer is one change of it.
 *
 * @param patches Changes in the order in which they were made.
 * @returns One change a weight, in the order in which weights first occur.
 */
export function joinPatches(patches: readonly LowRankPatch[]): LowRankPatch[] {
  return [...Map.groupBy(patches, ({ weight }) => weight)].map(([weight, own]) =>
    own.length === 1 ? own[0]! : {
      weight,
      left: besides(own.map(({ left, rank }) => ({ factor: left, rank }))),
      right: besides(own.map(({ right, rank }) => ({ factor: right, rank }))),
      rank: own.reduce((sum, { rank }) => sum + rank, 0),
    }
  );
}

/** Factors of the same rows, [rows, rank] each, side by side. */
function besides(factors: readonly { factor: Float32Array; rank: number }[]): Float32Array {
  const rows = factors[0]!.factor.length / factors[0]!.rank;
  const width = factors.reduce((sum, { rank }) => sum + rank, 0);
  const out = new Float32Array(rows * width);
  let first = 0;
  for (const { factor, rank } of factors) {
    for (let row = 0; row < rows; row++) {
      out.set(factor.subarray(row * rank, (row + 1) * rank), row * width + first);
    }
    first += rank;
  }
  return out;
}
