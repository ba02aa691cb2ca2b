import type { EditNorm, EditRecord } from "../../src/editing/edit.ts";

/**
 * Says how large an edit is, how its searches went, and what to doubt.
 *
 * @param record What the edit was made from.
 * @param norms Size of the change by layer.
 * @returns One line a fact.
 */
export function normLines(record: EditRecord, norms: readonly EditNorm[]): string[] {
  return [
    ...record.searches.map(({ evaluations, firstNll, lastNll }, i) =>
      `search ${i + 1}: negative log-probability of the target from ${firstNll.toFixed(2)} to ${lastNll.toFixed(3)} ` +
      `in ${evaluations} steps`
    ),
    ...norms.map(({ layer, change, relative }) =>
      `layer ${layer}: changed by ${change.toFixed(2)}, ${(100 * relative).toFixed(1)} % of the norm of its weight`
    ),
    ...(record.solves ?? []).map(({ layer, backwardError, conditionEstimate }) =>
      `layer ${layer}: least squares solved to a backward error of ${
        backwardError.toExponential(0)
      }, condition number ` +
      `about ${conditionEstimate.toExponential(0)}`
    ),
    ...record.warnings.map((warning) => `warning: ${warning}`),
  ];
}
