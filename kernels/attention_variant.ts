import type { Gpu } from "../src/gpu/gpu.ts";
import { defineKernel, foldGroups, type Kernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { type AttentionOptions, type AttentionSizes, attentionThreads } from "./attention_sizes.ts";
import { link } from "./link.ts";
import { MAX_ROUNDS } from "./rounds.ts";

/** Rows that a workgroup of the subgroup variants computes, one a lane, and keys that it takes at a time. */
const SUBGROUP_ROWS = 8;

/** The two shaders of an operation. */
export interface AttentionVariants {
  /** One workgroup a row; works everywhere. */
  rows: Kernel;
  /** One subgroup of 8 lanes for 8 rows of one key head, operands shared by broadcast. */
  subgroup: Kernel;
}

const SIZES = { queries: "u32", keys: "u32", nHeads: "u32", nKvHeads: "u32", dHead: "u32", scale: "f32" } as const;

/** Declares both shaders of an operation called `name`, which bind the same buffers. */
export function defineAttention(
  name: string,
  code: string,
  subgroupCode: string,
  buffers: Kernel["buffers"],
): AttentionVariants {
  return {
    rows: defineKernel({ name, code: link(code), buffers, params: { rows: "u32", ...SIZES } }),
    subgroup: defineKernel({
      name: `${name}_subgroup`,
      code: link(subgroupCode),
      buffers,
      params: { count: "u32", tiles: "u32", chunks: "u32", ...SIZES },
    }),
  };
}

/**
 * Whether the subgroup variants run: where broadcasting pays, for heads that load four columns at a time, if their loops
 * over `steps` keys or queries are not too long.
 */
export function suitsSubgroups(gpu: Gpu, steps: number, dHead: number): boolean {
  const rounds = Math.ceil(steps / SUBGROUP_ROWS) * (dHead / 4 + 2);
  return gpu.sharing.way === "broadcast" && dHead % 4 === 0 && rounds <= MAX_ROUNDS;
}

/**
 * Launches the shader that suits the device. Where threads run one vector after the other, as on a CPU driver, sharing
 * through memory costs as much as loading again and a barrier more: there broadcasts are over 30 times faster (128
 * positions, 9 heads of 64). They load four columns at a time and thus need `dHead` to be a multiple of 4.
 *
 * @param rowsPerKvHead Rows of one sequence and one key head; together the kernels compute them for all of these.
 * @param tensors What both shaders bind.
 */
export function dispatchAttention(
  stream: Stream,
  variants: AttentionVariants,
  sizes: AttentionSizes,
  { rowsPerKvHead, steps }: { rowsPerKvHead: number; steps: number },
  tensors: readonly Tensor[],
  options: AttentionOptions,
): void {
  const { batch, queries, keys, nHeads, nKvHeads, dHead } = sizes;
  const params = { queries, keys, nHeads, nKvHeads, dHead, scale: options.scale ?? 1 / Math.sqrt(dHead) };
  if (suitsSubgroups(stream.gpu, steps, dHead)) {
    const wide = dHead > 32;
    const tiles = Math.ceil(rowsPerKvHead / SUBGROUP_ROWS);
    const chunks = Math.ceil(dHead / (wide ? 64 : 32));
    const count = batch * nKvHeads * tiles * chunks;
    stream.dispatch(variants.subgroup, {
      tensors,
      params: { count, tiles, chunks, ...params },
      groups: foldGroups(count, options.groupLimit),
      constants: { WIDE: Number(wide) },
    });
    return;
  }
  const rows = batch * nKvHeads * rowsPerKvHead;
  stream.dispatch(variants.rows, {
    tensors,
    params: { rows, ...params },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: attentionThreads(stream.gpu, steps, dHead), ALIGNED: Number(dHead % 4 === 0) },
  });
}
