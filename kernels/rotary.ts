import { allOrNone } from "../src/gpu/all_or_none.ts";
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import code from "./rotary.wgsl" with { type: "text" };
import { checkDtype, checkLength, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "rotary",
  code,
  buffers: ["read", "read", "read", "read", "write", "write"],
  params: {
    rows: "u32",
    qWidth: "u32",
    kWidth: "u32",
    dHead: "u32",
    dims: "u32",
    maxPos: "u32",
    halves: "u32",
    sign: "f32",
  },
});

/** Operands of {@linkcode rotary}. */
export interface RotaryInput {
  /** Queries, [..., nHeads, dHead] f32; all dimensions before `nHeads` are flattened to rows. */
  q: Tensor;
  /** Keys, [..., nKvHeads, dHead] f32, as many rows. */
  k: Tensor;
  /** Absolute position of each row, [rows] u32, below `maxPos`. */
  position: Tensor;
  /** Cosine and sine of every angle, [maxPos, dims / 2, 2] f32. */
  table: Tensor;
}

/** Options of {@linkcode rotary}. */
export interface RotaryOptions {
  /** Which columns turn together: neighbours (GPT-J) or column i with i + dims / 2 (GPT-NeoX, Llama, Qwen). */
  style: "pairs" | "halves";
  /** Turn back, which is also the gradient. Default: false. */
  inverse?: boolean | undefined;
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

/** Rows of a tensor of heads, and the width of a row and of a head. */
function rowsOf(action: string, name: string, tensor: Tensor): { rows: number; width: number; dHead: number } {
  const { rows: heads, width: dHead } = rowSizes(action, name, tensor);
  const nHeads = tensor.shape.at(-2) ?? 0;
  if (nHeads === 0) {
    throw new RangeError(`Cannot ${action}: ${name} must be [..., heads, dHead], got ${formatShape(tensor.shape)}`);
  }
  return { rows: heads / nHeads, width: nHeads * dHead, dHead };
}

/** What {@linkcode rotary} returns. */
export interface RotaryOutput {
  /** Turned queries, the shape of `q`, f32. */
  q: Tensor;
  /** Turned keys, the shape of `k`, f32. */
  k: Tensor;
}

/**
 * Rotary position embedding (Su et al. 2021) of the first `dims` columns of each head; the others are copied.
 *
 * @returns The turned queries and keys.
 * @throws {RangeError} If `table`, `position` or `k` does not fit `q`.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function rotary(stream: Stream, input: RotaryInput, options: RotaryOptions): RotaryOutput {
  const { q, k, position, table } = input;
  const action = "apply rotary embedding";
  const { rows, width: qWidth, dHead } = rowsOf(action, "q", q);
  const keys = rowsOf(action, "k", k);
  const [maxPos = 0, pairs = 0, two = 0] = table.shape;
  const dims = 2 * pairs;
  checkDtype(action, "table", table, "f32");
  if (table.shape.length !== 3 || two !== 2 || dims > dHead || maxPos === 0) {
    throw new RangeError(
      `Cannot ${action}: q must be [..., nHeads, dHead] and table [maxPos, dims / 2, 2] with dims <= dHead, got ` +
        `${formatShape(q.shape)} and ${formatShape(table.shape)}`,
    );
  }
  if (keys.rows !== rows || keys.dHead !== dHead) {
    throw new RangeError(
      `Cannot ${action}: k must have ${rows} rows of heads of ${dHead}, got ${formatShape(k.shape)}`,
    );
  }
  checkLength(action, "position", position, rows, "u32");
  const halves = options.style === "halves" ? 1 : 0;
  const { gpu } = stream;
  const [yq, yk] = allOrNone([() => gpu.tensor(q.shape, "turned q"), () => gpu.tensor(k.shape, "turned k")]);
  if (rows > 0) {
    stream.dispatch(KERNEL, {
      tensors: [q, k, position, table, yq, yk],
      params: { rows, qWidth, kWidth: keys.width, dHead, dims, maxPos, halves, sign: options.inverse ? -1 : 1 },
      groups: foldGroups(rows, options.groupLimit),
      constants: { WG: rowThreads(gpu, Math.max(qWidth, keys.width)) },
    });
  }
  return { q: yq, k: yk };
}
