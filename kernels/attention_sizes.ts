import type { Gpu } from "../src/gpu/gpu.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import { checkDtype, checkShape } from "./rows.ts";

/** Sizes that the attention kernels share. */
export interface AttentionSizes {
  /** Sequences. */
  batch: number;
  /** Positions a sequence that ask, the computed ones. */
  queries: number;
  /** Positions a sequence that `k` and `v` have room for. */
  keys: number;
  /** Heads of the queries. */
  nHeads: number;
  /** Heads of the keys and values; each serves `nHeads / nKvHeads` query heads in a row. */
  nKvHeads: number;
  /** Width of a head. */
  dHead: number;
}

/** Which keys a query sees: key `s` iff `s <= start[b] + t` and `s < length[b]` for query `t` of sequence `b`. */
export interface AttentionMask {
  /** Absolute position of the first query of each sequence, [batch] u32. */
  start: Tensor;
  /** Real keys of each sequence, [batch] u32. */
  length: Tensor;
}

/** Options that all kernels with attention scores take. */
export interface AttentionOptions {
  /** Factor of the scores. Default: `1 / sqrt(dHead)`. */
  scale?: number | undefined;
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

/** Rows that a workgroup of the subgroup variants computes, one a lane, and keys that it takes at a time. */
const SUBGROUP_ROWS = 8;

function headsOf(action: string, name: string, tensor: Tensor): readonly [number, number, number, number] {
  checkDtype(action, name, tensor, "f32");
  if (tensor.shape.length !== 4) {
    throw new RangeError(
      `Cannot ${action}: ${name} must have shape [batch, pos, heads, dHead], got ${formatShape(tensor.shape)}`,
    );
  }
  return tensor.shape as unknown as readonly [number, number, number, number];
}

/**
 * Checks queries, keys and mask and names their sizes.
 *
 * @param action What the caller is about to do, as in `Cannot <action>`.
 * @throws {RangeError} If the shapes do not fit each other.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function attentionSizes(action: string, q: Tensor, k: Tensor, mask: AttentionMask): AttentionSizes {
  const [batch, queries, nHeads, dHead] = headsOf(action, "q", q);
  const [, keys, nKvHeads] = headsOf(action, "k", k);
  checkShape(action, "k", k, [batch, keys, nKvHeads, dHead]);
  checkGroups(action, nHeads, nKvHeads);
  checkShape(action, "start", mask.start, [batch], "u32");
  checkShape(action, "length", mask.length, [batch], "u32");
  return { batch, queries, keys, nHeads, nKvHeads, dHead };
}

/**
 * Checks that the query heads divide evenly among the key heads.
 *
 * @throws {RangeError} If they do not.
 */
export function checkGroups(action: string, nHeads: number, nKvHeads: number): void {
  if (nHeads === 0 || nKvHeads === 0 || nHeads % nKvHeads !== 0) {
    throw new RangeError(
      `Cannot ${action}: the number of query heads must be a multiple of the number of key heads, ` +
        `got ${nHeads} and ${nKvHeads}`,
    );
  }
}

/** Threads of a workgroup that computes one row: a CPU driver pays for every barrier, so it gets one vector of lanes. */
export function attentionThreads(gpu: Gpu): number {
  return gpu.isCpu ? 8 : 64;
}

/** How a subgroup variant cuts its work. */
export interface SubgroupPlan {
  /** Workgroups of the dispatch. */
  count: number;
  /** Blocks of 8 rows that one sequence has for one key head. */
  tiles: number;
  /** Blocks of columns that a head has. */
  chunks: number;
  /** Whether a block of columns is 64 wide, else 32. */
  wide: boolean;
}

/**
 * Plans the variant for subgroups of 8 lanes: 8 rows a workgroup, one subgroup, operands shared by broadcast. On such a
 * device, a CPU driver, sharing through memory costs as much as loading again.
 *
 * @param rows Rows of one sequence and one key head.
 * @returns null if the device's subgroups have another size or are not to be used, or `dHead` is no multiple of 4.
 */
export function planSubgroups(gpu: Gpu, sizes: AttentionSizes, rows: number): SubgroupPlan | null {
  if (gpu.subgroupSize !== SUBGROUP_ROWS || sizes.dHead % 4 !== 0) return null;
  const wide = sizes.dHead > 32;
  const tiles = Math.ceil(rows / SUBGROUP_ROWS);
  const chunks = Math.ceil(sizes.dHead / (wide ? 64 : 32));
  return { count: sizes.batch * sizes.nKvHeads * tiles * chunks, tiles, chunks, wide };
}
