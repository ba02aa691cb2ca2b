/** The best candidates of a search by bounds. */
export interface CertifiedTop {
  /** Candidates, highest score first; on ties the lower number first. */
  readonly indices: number[];
  /** Their scores. */
  readonly scores: number[];
  /** Candidates that were scored. */
  readonly evaluated: number;
}

/** Scores candidates exactly, in the order given. */
export type Evaluate = (indices: readonly number[]) => Promise<ArrayLike<number>>;

/** Candidates scored beyond the wanted number in the first go: measured searches need 2 to 9 % more than they return. */
const FIRST_EXTRA = 16;

/** Candidates scored at a time after that. */
const CHUNK = 48;

/** By how much rounding may lift a score above its bound, relative to bounds above 1. */
const ROUNDING = 1e-5;

/**
 * Finds the candidates with the highest scores without scoring all, given an upper bound of every score: scores in the
 * order of the bounds until no remaining bound reaches the last of the best so far.
 *
 * The result is that of scoring everything. It holds for the highest scores only: a low bound says nothing about which
 * score is lowest.
 *
 * @param bounds Upper bound of every candidate's score.
 * @param top Candidates wanted.
 */
export async function certifiedTop(
  bounds: ArrayLike<number>,
  top: number,
  evaluate: Evaluate,
): Promise<CertifiedTop> {
  const order = Array.from(bounds, (_, i) => i).sort((a, b) => bounds[b]! - bounds[a]! || a - b);
  const wanted = Math.min(top, order.length);
  let best: { index: number; score: number }[] = [];
  let done = 0;
  let chunk = wanted + FIRST_EXTRA;
  const settled = (): boolean => {
    if (done === order.length) return true;
    if (best.length < wanted) return false;
    const next = bounds[order[done]!]!;
    return wanted === 0 || best[wanted - 1]!.score >= next + ROUNDING * Math.max(1, Math.abs(next));
  };
  while (!settled()) {
    const indices = order.slice(done, done + chunk);
    const scores = await evaluate(indices);
    best = [...best, ...indices.map((index, i) => ({ index, score: scores[i]! }))]
      .sort((a, b) => b.score - a.score || a.index - b.index).slice(0, wanted);
    done += indices.length;
    chunk = CHUNK;
  }
  return { indices: best.map(({ index }) => index), scores: best.map(({ score }) => score), evaluated: done };
}
