import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import code from "./cache_rows.wgsl" with { type: "text" };
import { checkDistinct, checkLength, checkWidth, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "cache_rows",
  code,
  buffers: ["read", "read", "read", "write", "write"],
  params: { rows: "u32", width: "u32", count: "u32" },
});

/** Operands of {@linkcode cacheRows}. */
export interface CacheRowsInput {
  /** New keys, [..., width] f32, leading dimensions flattened. */
  k: Tensor;
  /** Their values, the same sizes. */
  v: Tensor;
  /** Row of the cache for each of them, [rows] u32, distinct; indices past the end are skipped. */
  index: Tensor;
  /** Keys and values of a cache, [..., width] f32 each, rows of which are overwritten. */
  cache: { readonly k: Tensor; readonly v: Tensor };
}

/**
 * Puts new keys and values into their rows of a cache.
 *
 * @throws {RangeError} If the sizes differ or `index` does not have one entry a row of `k`.
 * @throws {TypeError} If an operand has the wrong dtype or a written tensor is an operand.
 */
export function cacheRows(
  stream: Stream,
  input: CacheRowsInput,
  options: { groupLimit?: number | undefined } = {},
): void {
  const { k, v, index, cache } = input;
  const action = "cache keys and values";
  const { rows, width } = rowSizes(action, "k", k);
  const { rows: count } = checkWidth(action, "cache.k", cache.k, width);
  if (checkWidth(action, "v", v, width).rows !== rows || checkWidth(action, "cache.v", cache.v, width).rows !== count) {
    throw new RangeError(
      `Cannot ${action}: keys and values must have as many rows, got k ${formatShape(k.shape)}, v ` +
        `${formatShape(v.shape)}, cache.k ${formatShape(cache.k.shape)} and cache.v ${formatShape(cache.v.shape)}`,
    );
  }
  checkLength(action, "index", index, rows, "u32");
  if (k.length === 0) return;
  checkDistinct(action, "cache.k", cache.k, [k, v, index, cache.v]);
  checkDistinct(action, "cache.v", cache.v, [k, v, index]);
  stream.dispatch(KERNEL, {
    tensors: [k, v, index, cache.k, cache.v],
    params: { rows, width, count },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
}
