/**
 * Twin of `topK` for one row, and of `argmax` with k = 1: a full sort.
 *
 * @returns The k largest elements, descending, and their indices; the lowest index first on ties.
 */
export function topKRow(x: ArrayLike<number>, k: number): { values: number[]; indices: number[] } {
  const order = Array.from(x, (value, index) => ({ value, index }));
  order.sort((a, b) => b.value - a.value || a.index - b.index);
  const kept = order.slice(0, k);
  return { values: kept.map(({ value }) => value), indices: kept.map(({ index }) => index) };
}
