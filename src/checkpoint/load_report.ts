/**
 * What loading changed in the stored weights: formats that were rewritten or widened.
 *
 * @module
 */

import type { WeightSource } from "./weight_source.ts";

/** Tensors of one format that are loaded in another. */
export interface Conversion {
  /** Format in the file. */
  readonly from: string;
  /** Type in memory. */
  readonly to: string;
  /** Names of the tensors. */
  readonly tensors: readonly string[];
  /** Bytes that they take in memory. */
  readonly byteLength: number;
}

/**
 * Lists what reading converts.
 *
 * @param source Open weights.
 * @returns A line for each pair of formats, in the order in which they are met.
 */
export function conversionsOf(source: WeightSource): Conversion[] {
  const found = new Map<string, Conversion>();
  for (const [name, { dtype, storedAs, byteLength }] of source.tensors) {
    if (storedAs === undefined) continue;
    const before = found.get(`${storedAs} ${dtype}`);
    found.set(`${storedAs} ${dtype}`, {
      from: storedAs,
      to: dtype,
      tensors: [...before?.tensors ?? [], name],
      byteLength: (before?.byteLength ?? 0) + byteLength,
    });
  }
  return [...found.values()];
}

/** One line about a conversion. */
export function describeConversion({ from, to, tensors, byteLength }: Conversion): string {
  const count = tensors.length === 1 ? "1 tensor" : `${tensors.length} tensors`;
  return `${count} of ${from} loaded as ${to}, values unchanged, ${(byteLength / 1e6).toFixed(1)} MB`;
}
