import type { SearchSummary } from "./edit.ts";
import type { Facts } from "./facts.ts";
import type { Support } from "./support.ts";

/** Negative log-probability above which the end of a search is reported as far from its target. */
const FAR_NLL = 0.5;

/** Says which searches ended far from their targets. */
export function searchWarnings(searches: readonly SearchSummary[]): string[] {
  return searches.flatMap(({ firstNll, lastNll, evaluations }, i) =>
    lastNll > FAR_NLL
      ? [
        `Search ${i + 1} ended far from its target: negative log-probability ${lastNll.toFixed(2)} after ` +
        `${evaluations} steps, from ${firstNll.toFixed(2)}; the edit may not hold`,
      ]
      : []
  );
}

/**
 * Says what the facts file lacks for an edit in chain mode.
 *
 * @param facts The file.
 * @param exclude Names set aside; one that the file does not know sets nothing aside and may be misspelt.
 * @param supports What was selected, by request.
 */
export function supportWarnings(
  facts: Facts,
  exclude: readonly string[],
  supports: readonly { subject: string; support: Support }[],
): string[] {
  return [
    ...exclude.filter((name) => !facts.knows(name)).map((name) =>
      `Nothing was set aside for ${JSON.stringify(name)}: ${facts.path} does not name it`
    ),
    ...supports.filter(({ support }) => support.used.heads.length === 0).map(({ subject }) =>
      `The edit learned from no chain, and answers over two hops may not follow: ${facts.path} has no head that leads ` +
      `to ${JSON.stringify(subject)} and that the model answers`
    ),
  ];
}

/**
 * What to know of an edit that was computed while others were applied.
 *
 * @param count Other edits that were applied.
 */
export function stackWarnings(count: number): string[] {
  if (count === 0) return [];
  const others = count === 1 ? "another edit was" : `${count} other edits were`;
  return [`Computed while ${others} applied; without, or in another order, it may not hold`];
}
