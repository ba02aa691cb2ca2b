/** Elements of a stored tensor: of every `period`, `count` from `first` on. */
export interface StoredSlice {
  /** Elements after which the pattern repeats. */
  period: number;
  /** First element taken of a period. */
  first: number;
  /** Elements taken of a period. */
  count: number;
}

/** The GPU takes whole 32-bit words. */
const WORD = 4;

/**
 * Takes one weight out of a stored tensor that holds several, such as the queries out of a fused projection, piece by
 * piece as the tensor streams by.
 *
 * @param pieces Bytes of the stored tensor in order.
 * @param slice Elements of the weight.
 * @param elementBytes Bytes of an element; of block formats on average, as slices are whole rows and so whole blocks.
 * @param byteLength Bytes of the weight.
 * @returns The bytes of the weight in the order of the stored elements; all pieces but the last are whole words.
 */
export async function* takePart(
  pieces: AsyncIterable<Uint8Array>,
  slice: StoredSlice,
  elementBytes: number,
  byteLength: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const [period, first, count] = [slice.period, slice.first, slice.count].map((n) => n * elementBytes) as [
    number,
    number,
    number,
  ];
  let begun = new Uint8Array(0);
  let given = 0;
  let start = 0;
  for await (const piece of pieces) {
    const end = start + piece.length;
    const taken = new Uint8Array(begun.length + piece.length);
    taken.set(begun);
    let filled = begun.length;
    for (let run = Math.floor(start / period) * period + first; run < end; run += period) {
      const from = Math.max(run, start);
      const to = Math.min(run + count, end);
      if (to <= from) continue;
      taken.set(piece.subarray(from - start, to - start), filled);
      filled += to - from;
    }
    start = end;
    const whole = given + filled === byteLength ? filled : filled - filled % WORD;
    begun = taken.slice(whole, filled);
    given += whole;
    if (whole > 0) yield taken.subarray(0, whole);
  }
}
