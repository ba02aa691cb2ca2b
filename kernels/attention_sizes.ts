import type { Gpu } from "../src/gpu/gpu.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import { threadsWithin } from "./rounds.ts";
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

/** Widest head: its fours are spread over the threads of a workgroup, of which every device has 256. */
const MAX_HEAD = 1024;

/** Options that all kernels with attention scores take. */
export interface AttentionOptions {
  /** Factor of the scores. Default: `1 / sqrt(dHead)`. */
  scale?: number | undefined;
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

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
  if (dHead > MAX_HEAD) {
    throw new RangeError(`Cannot ${action}: heads of ${dHead} elements are too wide, wanted at most ${MAX_HEAD}`);
  }
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

/**
 * Threads of a workgroup that computes one row: one vector of lanes where more would run one after the other, and more
 * where a head has more fours, or where so few would loop too long.
 *
 * @param steps Keys that a row sees, or queries that see a key.
 */
export function attentionThreads(gpu: Gpu, steps: number, dHead: number): number {
  const quads = Math.ceil(dHead / 4);
  // Of a tile of keys: the fours of a score, two reductions, and a thread's share of the keys; at last all shares.
  const rounds = (threads: number): number => {
    const shares = Math.floor(threads / quads);
    return Math.ceil(steps / threads) * (quads + 2 * Math.log2(threads) + Math.ceil(threads / shares) + 6) + shares + 1;
  };
  return threadsWithin(Math.max(gpu.sharing.way === "memory" ? 64 : 8, 2 ** Math.ceil(Math.log2(quads))), rounds);
}
