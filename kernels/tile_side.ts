import type { Gpu } from "../src/gpu/gpu.ts";

/** Threads along a side of a workgroup that stages tiles; each makes 4 x 4 outputs. */
export type TileSide = 8 | 16;

/** Bytes of workgroup memory that tiles of the larger side take: two of 64 lines of nine fours. */
const LARGE_BYTES = 2 * 64 * 9 * 16;

/**
 * Large blocks below which small ones are taken: each of a GPU's cores, often more than a hundred, is to have two. On one
 * of 132 cores, 512 x 512 outputs take 17 us in small blocks and 25 in large ones, 1024 x 1024 take 96 and 77.
 */
const MANY_BLOCKS = 256;

/**
 * The side of the workgroups that suits a device and a number of outputs.
 *
 * @param blocks Workgroups with blocks of 64 x 64 outputs.
 */
export function tileSide(gpu: Gpu, blocks: number): TileSide {
  return blocks < MANY_BLOCKS || gpu.limits.maxComputeWorkgroupStorageSize < LARGE_BYTES ? 8 : 16;
}
