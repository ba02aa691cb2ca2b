/**
 * SentencePiece's BPE as merges: of all neighbours whose join is a piece, the one of the highest score merges first, of
 * equal scores the leftmost (Kudo and Richardson 2018).
 *
 * @module
 */

/** A piece that text may become. */
export interface Piece {
  /** Its text, with marks for spaces. */
  readonly text: string;
  /** Its score; the higher, the earlier it is made. */
  readonly score: number;
}

/** Merges with ranks; merges of one rank are done from left to right. */
export interface RankedMerges {
  /** Pairs of pieces. */
  readonly merges: [string, string][];
  /** Rank of each. */
  readonly ranks: number[];
}

/** Both halves of a text at every place between two characters. */
function* halves(text: string): Generator<[string, string]> {
  let at = 0;
  for (const character of text) {
    if (at > 0) yield [text.slice(0, at), text.slice(at)];
    at += character.length;
  }
}

/**
 * Derives merges from scores. Every way to put a piece together has the rank of its score, so that ties are broken as
 * SentencePiece does.
 *
 * @param pieces The pieces that text may become; none longer than a few hundred characters.
 * @returns Merges, the lowest rank first.
 */
export function mergesFromScores(pieces: readonly Piece[]): RankedMerges {
  const known = new Set(pieces.map(({ text }) => text));
  const scores = [...new Set(pieces.map(({ score }) => score))].sort((a, b) => b - a);
  const rankOf = new Map(scores.map((score, rank) => [score, rank]));
  const found = pieces.flatMap(({ text, score }) =>
    [...halves(text)].filter(([left, right]) => known.has(left) && known.has(right))
      .map((pair) => ({ pair, rank: rankOf.get(score)! }))
  );
  found.sort((a, b) => a.rank - b.rank);
  return { merges: found.map(({ pair }) => pair), ranks: found.map(({ rank }) => rank) };
}
