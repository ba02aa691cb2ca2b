/**
 * In which type a stored format is handed on: as it is, rewritten without loss, or widened.
 *
 * @module
 */

import { BLOCK_FORMATS, type FormatName, widenBlocks } from "./blocks/block_formats.ts";
import { repackIq4Nl, repackQ3_K, repackQ5_0 } from "./blocks/repack.ts";
import type { PackedFormat } from "./weight_source.ts";

/** How the blocks of a tensor are handed on. */
export interface Delivery {
  /** Type in which they are handed on. */
  readonly dtype: "F32" | "F16" | "BF16" | PackedFormat;
  /** Rewrites whole blocks; null where they stay as they are. */
  readonly convert: ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) | null;
}

const REPACKED: Partial<Record<FormatName, Delivery & { readonly dtype: PackedFormat }>> = {
  Q5_0: { dtype: "Q8_0", convert: repackQ5_0 },
  IQ4_NL: { dtype: "Q8_0", convert: repackIq4Nl },
  Q3_K: { dtype: "Q6_K", convert: repackQ3_K },
};

/**
 * Chooses how a format is handed on.
 *
 * What cannot stay packed becomes F32, the only type that holds its values: the products of scales and integers have 16
 * to 25 significant bits. On a model of two layers, rounding the weights of Q5_0 moved logits by 0.03 in F16 and by 0.3
 * in BF16, where 0.0003 is allowed.
 *
 * @param format Format in the file.
 * @param packed Quantised formats that may be handed on as they are.
 */
export function deliver(format: FormatName, packed: ReadonlySet<PackedFormat>): Delivery {
  if (format === "F32" || format === "F16" || format === "BF16") return { dtype: format, convert: null };
  if (packed.has(format as PackedFormat)) return { dtype: format as PackedFormat, convert: null };
  const repacked = REPACKED[format];
  if (repacked !== undefined && packed.has(repacked.dtype)) return repacked;
  return { dtype: "F32", convert: (bytes) => new Uint8Array(widenBlocks(format, bytes).buffer) };
}

/** Bytes of `values` values in a type that is handed on. */
export function deliveredBytes({ dtype }: Delivery, values: number): number {
  const { values: block, bytes } = BLOCK_FORMATS[dtype];
  return values / block * bytes;
}
