import type { SearchRow } from "./target_search.ts";

/** Row numbers of a search, in the whole batch and in the cone. */
export interface ConeIndices {
  /** First changed position of each sequence: where its part of the cone begins. */
  starts: number[];
  /** Row of the whole batch [batch * longest] of every row of the cone [batch * queries]; padding repeats the last. */
  coneRows: number[];
  /** Row of the cone of each edit. */
  editRows: number[];
  /** Row of the whole batch of each edit. */
  editWholeRows: number[];
  /** Vector of each edit. */
  slots: number[];
  /** Row of the cone of each label. */
  labelRows: number[];
  /** Row of the cone of each kept position. */
  keptRows: number[];
}

/** First changed position of each row of a search. */
export function coneStarts(rows: readonly SearchRow[]): number[] {
  return rows.map((row) => Math.min(...row.edits.map((edit) => edit.position)));
}

/**
 * Numbers the rows of a search.
 *
 * @param longest Positions of each sequence in the whole batch.
 * @param queries Positions of each sequence in the cone.
 */
export function coneIndices(rows: readonly SearchRow[], longest: number, queries: number): ConeIndices {
  const starts = coneStarts(rows);
  const inCone = (b: number, position: number): number => b * queries + position - starts[b]!;
  return {
    starts,
    coneRows: starts.flatMap((start, b) =>
      Array.from({ length: queries }, (_, i) => b * longest + Math.min(start + i, longest - 1))
    ),
    editRows: rows.flatMap((row, b) => row.edits.map((edit) => inCone(b, edit.position))),
    editWholeRows: rows.flatMap((row, b) => row.edits.map((edit) => b * longest + edit.position)),
    slots: rows.flatMap((row) => row.edits.map((edit) => edit.slot)),
    labelRows: rows.flatMap((row, b) => row.labels.map((label) => inCone(b, label.position))),
    keptRows: rows.flatMap((row, b) => row.keepAt === undefined ? [] : [inCone(b, row.keepAt)]),
  };
}
