import { allOrNone } from "../gpu/all_or_none.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../gpu/tensor.ts";

/**
 * Which positions of which sequences a pass computes: a batch of equally long runs of queries, each from its own start,
 * over keys from position 0. A plain forward pass starts at 0; generation and the target search start later and find the
 * keys and values of earlier positions in a cache.
 */
export interface Rows extends Disposable {
  /** Sequences. */
  readonly batch: number;
  /** Positions computed for each sequence; those past its length are padding. */
  readonly queries: number;
  /** Key positions that a cache has room for. */
  readonly keys: number;
  /** First computed position of each sequence, u32 [batch]. */
  readonly start: Tensor;
  /** Real tokens of each sequence, u32 [batch]. */
  readonly length: Tensor;
  /** Absolute position of each computed row, u32 [batch * queries]. */
  readonly position: Tensor;
  /** Row in a flattened cache [batch * keys] of each computed row, u32 [batch * queries]. */
  readonly cacheRow: Tensor;
}

/**
 * Uploads the description of a pass.
 *
 * @param starts First position to compute of each sequence.
 * @param lengths Real tokens of each sequence.
 * @param queries Positions to compute of each; default: enough for the longest rest.
 * @param keys Room for keys; default: just enough.
 */
export function makeRows(
  gpu: Gpu,
  starts: readonly number[],
  lengths: readonly number[],
  queries: number = Math.max(...lengths.map((n, i) => n - starts[i]!)),
  keys: number = Math.max(...starts) + queries,
): Rows {
  const batch = lengths.length;
  const position = new Uint32Array(batch * queries);
  const cacheRow = new Uint32Array(batch * queries);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < queries; t++) {
      position[b * queries + t] = starts[b]! + t;
      cacheRow[b * queries + t] = b * keys + starts[b]! + t;
    }
  }
  const owned = allOrNone([
    () => gpu.upload(Uint32Array.from(starts), [batch], "rows.start"),
    () => gpu.upload(Uint32Array.from(lengths), [batch], "rows.length"),
    () => gpu.upload(position, [batch * queries], "rows.position"),
    () => gpu.upload(cacheRow, [batch * queries], "rows.cacheRow"),
  ]);
  return {
    batch,
    queries,
    keys,
    start: owned[0],
    length: owned[1],
    position: owned[2],
    cacheRow: owned[3],
    [Symbol.dispose]: () => owned.forEach((tensor) => tensor.dispose()),
  };
}
