/** Elements of a stored tensor: of every `period`, `count` from `first` on. */
export interface StoredSlice {
  /** Elements after which the pattern repeats. */
  period: number;
  /** First element taken of a period. */
  first: number;
  /** Elements taken of a period. */
  count: number;
}

/**
 * Takes one weight out of a stored tensor that holds several, such as the queries out of a fused projection.
 *
 * @param pieces Bytes of the stored tensor in order.
 * @param slice Elements of the weight.
 * @param elementBytes Bytes of an element.
 * @param byteLength Bytes of the weight.
 * @returns The weight in one piece, in the order of the stored elements.
 */
export async function* takePart(
  pieces: AsyncIterable<Uint8Array>,
  slice: StoredSlice,
  elementBytes: number,
  byteLength: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const [period, first, count] = [slice.period, slice.first, slice.count].map((n) => n * elementBytes);
  const out = new Uint8Array(byteLength);
  let filled = 0;
  let start = 0;
  for await (const piece of pieces) {
    const end = start + piece.length;
    for (let run = Math.floor(start / period!) * period! + first!; run < end; run += period!) {
      const from = Math.max(run, start);
      const to = Math.min(run + count!, end);
      if (to <= from) continue;
      out.set(piece.subarray(from - start, to - start), filled);
      filled += to - from;
    }
    start = end;
  }
  yield out;
}
