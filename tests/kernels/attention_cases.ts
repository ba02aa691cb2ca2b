/**
 * Sizes and operands that the tests of the attention kernels share.
 *
 * @module
 */
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import type { AttentionCase } from "../reference/attention.ts";
import { normals } from "./operands.ts";

/** Sizes of a case; `start` and `length` have one element a sequence. */
export interface CaseSizes {
  queries: number;
  keys: number;
  nHeads: number;
  nKvHeads: number;
  dHead: number;
  start: number[];
  length: number[];
}

/** One element, primes, blocks of 8 rows and keys with one less and one more, and columns around 32 and 64. */
export const CASES: readonly CaseSizes[] = [
  { queries: 1, keys: 1, nHeads: 1, nKvHeads: 1, dHead: 1, start: [0], length: [1] },
  { queries: 3, keys: 7, nHeads: 2, nKvHeads: 2, dHead: 5, start: [0, 4], length: [2, 7] },
  { queries: 5, keys: 11, nHeads: 6, nKvHeads: 2, dHead: 12, start: [0, 6, 3], length: [5, 11, 6] },
  { queries: 9, keys: 17, nHeads: 2, nKvHeads: 2, dHead: 20, start: [8, 0], length: [17, 9] },
  { queries: 4, keys: 9, nHeads: 4, nKvHeads: 2, dHead: 32, start: [5, 0], length: [9, 1] },
  { queries: 8, keys: 8, nHeads: 3, nKvHeads: 3, dHead: 28, start: [0], length: [8] },
  { queries: 7, keys: 23, nHeads: 2, nKvHeads: 1, dHead: 33, start: [0, 16], length: [4, 20] },
  { queries: 1, keys: 31, nHeads: 3, nKvHeads: 1, dHead: 36, start: [30, 15], length: [31, 16] },
  { queries: 17, keys: 24, nHeads: 6, nKvHeads: 2, dHead: 64, start: [0, 7], length: [15, 24] },
  { queries: 5, keys: 6, nHeads: 2, nKvHeads: 1, dHead: 68, start: [0, 1], length: [5, 6] },
  { queries: 2, keys: 10, nHeads: 1, nKvHeads: 1, dHead: 132, start: [8], length: [10] },
];

/** Keys on both sides of 64, the threads of a row on a GPU. */
export const LONG_CASES: readonly CaseSizes[] = [
  { queries: 3, keys: 70, nHeads: 2, nKvHeads: 1, dHead: 12, start: [60, 61, 62], length: [63, 64, 65] },
  { queries: 66, keys: 66, nHeads: 1, nKvHeads: 1, dHead: 5, start: [0], length: [66] },
];

/** Words for a case in failures. */
export function caseName(sizes: CaseSizes): string {
  return Object.entries(sizes).map(([name, value]) => `${name} ${value}`).join(", ");
}

/**
 * Random operands of these sizes. The room of k and v past a sequence's length is full of NaN, as memory that was never
 * written may be.
 */
export function attentionCase(sizes: CaseSizes): AttentionCase & Record<"q" | "k" | "v", Float32Array<ArrayBuffer>> {
  const { queries, keys, nHeads, nKvHeads, dHead, start, length } = sizes;
  const batch = start.length;
  const width = nKvHeads * dHead;
  const [k, v] = ["k", "v"].map((name) => normals(name, batch * keys * width)) as [
    Float32Array<ArrayBuffer>,
    Float32Array<ArrayBuffer>,
  ];
  for (let b = 0; b < batch; b++) {
    for (const data of [k, v]) data.fill(NaN, (b * keys + length[b]!) * width, (b + 1) * keys * width);
  }
  const q = normals("q", batch * queries * nHeads * dHead);
  return { batch, queries, keys, nHeads, nKvHeads, dHead, scale: 1 / Math.sqrt(dHead), q, k, v, start, length };
}

/** The operands on the GPU, given to `stack`. */
export function uploadCase(
  gpu: Gpu,
  c: ReturnType<typeof attentionCase>,
  stack: DisposableStack,
): Record<"q" | "k" | "v" | "start" | "length", Tensor> {
  const kv = [c.batch, c.keys, c.nKvHeads, c.dHead];
  return {
    q: stack.use(gpu.upload(c.q, [c.batch, c.queries, c.nHeads, c.dHead], "q")),
    k: stack.use(gpu.upload(c.k, kv, "k")),
    v: stack.use(gpu.upload(c.v, kv, "v")),
    start: stack.use(gpu.upload(Uint32Array.from(c.start), [c.batch], "start")),
    length: stack.use(gpu.upload(Uint32Array.from(c.length), [c.batch], "length")),
  };
}
