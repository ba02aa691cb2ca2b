/**
 * Float64 twins of the attention kernels.
 *
 * @module
 */

/** Operands of attention on the host, shapes as for the kernels. */
export interface AttentionCase {
  batch: number;
  queries: number;
  keys: number;
  nHeads: number;
  nKvHeads: number;
  dHead: number;
  scale: number;
  q: ArrayLike<number>;
  k: ArrayLike<number>;
  v: ArrayLike<number>;
  start: ArrayLike<number>;
  length: ArrayLike<number>;
}

/** One query and head, with where its numbers begin. */
export interface AttentionRow {
  b: number;
  t: number;
  /** Keys that it sees: 0 to seen - 1. */
  seen: number;
  /** First element of its head in q, z and dz. */
  qAt: number;
  /** Its element in logSumExp; times `keys`, the first of its pattern. */
  at: number;
  /** First element in k and v of the head that serves it, at key s. */
  kvAt(s: number): number;
}

/** All queries and heads, in the order of the pattern. */
export function attentionRows(c: AttentionCase): AttentionRow[] {
  const rows: AttentionRow[] = [];
  for (let b = 0; b < c.batch; b++) {
    for (let h = 0; h < c.nHeads; h++) {
      for (let t = 0; t < c.queries; t++) {
        const kvHead = Math.floor(h / (c.nHeads / c.nKvHeads));
        rows.push({
          b,
          t,
          seen: Math.min(c.start[b]! + t + 1, c.length[b]!),
          qAt: ((b * c.queries + t) * c.nHeads + h) * c.dHead,
          at: (b * c.nHeads + h) * c.queries + t,
          kvAt: (s) => ((b * c.keys + s) * c.nKvHeads + kvHead) * c.dHead,
        });
      }
    }
  }
  return rows;
}

/** Product of the heads of `a` and `b` that begin at these elements. */
export function headDot(a: ArrayLike<number>, aAt: number, b: ArrayLike<number>, bAt: number, dHead: number): number {
  let sum = 0;
  for (let d = 0; d < dHead; d++) sum += a[aAt + d]! * b[bAt + d]!;
  return sum;
}

/** Twin of `attention` and `attentionPattern`. */
export function attentionTwin(c: AttentionCase): {
  pattern: Float64Array;
  z: Float64Array;
  logSumExp: Float64Array;
} {
  const pattern = new Float64Array(c.batch * c.nHeads * c.queries * c.keys);
  const logSumExp = new Float64Array(c.batch * c.nHeads * c.queries);
  for (const { seen, qAt, at, kvAt } of attentionRows(c)) {
    const scores = Array.from({ length: seen }, (_, s) => c.scale * headDot(c.q, qAt, c.k, kvAt(s), c.dHead));
    const largest = Math.max(...scores);
    logSumExp[at] = largest + Math.log(scores.reduce((sum, x) => sum + Math.exp(x - largest), 0));
    scores.forEach((x, s) => pattern[at * c.keys + s] = Math.exp(x - logSumExp[at]!));
  }
  return { pattern, z: attentionMixTwin(c, pattern), logSumExp };
}

/** Twin of `attentionMix`; only `seen` keys are summed, as the weights of others are 0. */
export function attentionMixTwin(c: AttentionCase, pattern: ArrayLike<number>): Float64Array {
  const z = new Float64Array(c.batch * c.queries * c.nHeads * c.dHead);
  for (const { seen, qAt, at, kvAt } of attentionRows(c)) {
    for (let s = 0; s < seen; s++) {
      for (let d = 0; d < c.dHead; d++) z[qAt + d]! += pattern[at * c.keys + s]! * c.v[kvAt(s) + d]!;
    }
  }
  return z;
}

/** Twin of `attentionBackward`: gradients of `sum(dz * z)`; those of k and v at the queries' positions only. */
export function attentionBackwardTwin(
  c: AttentionCase,
  dz: ArrayLike<number>,
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const { pattern, z } = attentionTwin(c);
  const q = new Float64Array(c.q.length);
  const k = new Float64Array(c.batch * c.queries * c.nKvHeads * c.dHead);
  const v = new Float64Array(k.length);
  for (const { b, t, seen, qAt, at, kvAt } of attentionRows(c)) {
    const delta = headDot(dz, qAt, z, qAt, c.dHead);
    for (let s = 0; s < seen; s++) {
      const p = pattern[at * c.keys + s]!;
      const slope = c.scale * p * (headDot(dz, qAt, c.v, kvAt(s), c.dHead) - delta);
      const own = ownElement(c, b, s, kvAt(s));
      for (let d = 0; d < c.dHead; d++) {
        q[qAt + d]! += slope * c.k[kvAt(s) + d]!;
        if (own === null || s > c.start[b]! + t) continue;
        k[own + d]! += slope * c.q[qAt + d]!;
        v[own + d]! += p * dz[qAt + d]!;
      }
    }
  }
  return { q, k, v };
}

/** First element of key s in the gradients of k and v, null if no query is at that position. */
export function ownElement(c: AttentionCase, b: number, s: number, kvAt: number): number | null {
  const u = s - c.start[b]!;
  if (u < 0 || u >= c.queries) return null;
  return kvAt - (b * c.keys + s - (b * c.queries + u)) * c.nKvHeads * c.dHead;
}
