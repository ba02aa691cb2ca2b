import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { checkDistinct, checkDtype, checkLength } from "./rows.ts";
import code from "./set_elements.wgsl" with { type: "text" };

/** Threads of a workgroup; each handles one element. */
const THREADS = 64;

const KERNEL = defineKernel({
  name: "set_elements",
  code,
  buffers: ["read", "read", "write"],
  params: { count: "u32", length: "u32", accumulate: "u32" },
});

/** Operands of {@linkcode setElements}. */
export interface SetElementsInput {
  /** Positions in the flattened tensor, [count] u32, distinct; those past the end are skipped. */
  index: Tensor;
  /** New values, [count] f32. */
  value: Tensor;
  /** Tensor that is changed in place, any shape, f32. */
  into: Tensor;
}

/** Options of {@linkcode setElements}. */
export interface SetElementsOptions {
  /** Adds to the elements instead of replacing them. Default: false. */
  accumulate?: boolean | undefined;
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

/**
 * Changes single elements in place: `into[index[i]] = value[i]`.
 *
 * @throws {RangeError} If `index` and `value` differ in length.
 * @throws {TypeError} If an operand has the wrong dtype or `into` is an operand.
 */
export function setElements(stream: Stream, input: SetElementsInput, options: SetElementsOptions = {}): void {
  const { index, value, into } = input;
  const action = "set elements";
  checkDtype(action, "index", index, "u32");
  checkLength(action, "value", value, index.length);
  checkDtype(action, "into", into, "f32");
  if (index.length === 0) return;
  checkDistinct(action, "into", into, [index, value]);
  stream.dispatch(KERNEL, {
    tensors: [index, value, into],
    params: { count: index.length, length: into.length, accumulate: options.accumulate ? 1 : 0 },
    groups: foldGroups(Math.ceil(index.length / THREADS), options.groupLimit),
    constants: { WG: THREADS },
  });
}
