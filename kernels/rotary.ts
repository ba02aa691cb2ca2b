import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import code from "./rotary.wgsl" with { type: "text" };
import { checkDtype, checkLength, type OutputOptions, outputTensor, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "rotary",
  code,
  buffers: ["read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", dHead: "u32", dims: "u32", maxPos: "u32", halves: "u32", sign: "f32" },
});

/** Operands of {@linkcode rotary}. */
export interface RotaryInput {
  /** Queries or keys, [..., heads, dHead] f32; all dimensions before `heads` are flattened to rows. */
  x: Tensor;
  /** Absolute position of each row, [rows] u32, below `maxPos`. */
  position: Tensor;
  /** Cosine and sine of every angle, [maxPos, dims / 2, 2] f32. */
  table: Tensor;
}

/** Options of {@linkcode rotary}. */
export interface RotaryOptions extends OutputOptions {
  /** Which columns turn together: neighbours (GPT-J) or column i with i + dims / 2 (GPT-NeoX, Llama, Qwen). */
  style: "pairs" | "halves";
  /** Turn back, which is also the gradient. Default: false. */
  inverse?: boolean | undefined;
}

/**
 * Rotary position embedding (Su et al. 2021) of the first `dims` columns of each head; the others are copied.
 *
 * @returns The turned rows, the shape of `x`, f32.
 * @throws {RangeError} If `table` or `position` does not fit `x`.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function rotary(stream: Stream, input: RotaryInput, options: RotaryOptions): Tensor {
  const { x, position, table } = input;
  const action = "apply rotary embedding";
  const { rows: headRows, width: dHead } = rowSizes(action, "x", x);
  const heads = x.shape.at(-2) ?? 0;
  const rows = heads === 0 ? 0 : headRows / heads;
  const [maxPos = 0, pairs = 0, two = 0] = table.shape;
  const dims = 2 * pairs;
  checkDtype(action, "table", table, "f32");
  if (x.shape.length < 2 || table.shape.length !== 3 || two !== 2 || dims > dHead || maxPos === 0) {
    throw new RangeError(
      `Cannot ${action}: x must be [..., heads, dHead] and table [maxPos, dims / 2, 2] with dims <= dHead, got ` +
        `${formatShape(x.shape)} and ${formatShape(table.shape)}`,
    );
  }
  checkLength(action, "position", position, rows, "u32");
  const out = outputTensor(stream, action, x.shape, [x, position, table], options);
  if (out.length === 0) return out;
  const width = heads * dHead;
  const halves = options.style === "halves" ? 1 : 0;
  stream.dispatch(KERNEL, {
    tensors: [x, position, table, out],
    params: { rows, width, dHead, dims, maxPos, halves, sign: options.inverse ? -1 : 1 },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
