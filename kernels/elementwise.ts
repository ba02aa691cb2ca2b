import { type Constants, foldGroups, type Kernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";

/** Threads of a workgroup of every elementwise kernel; each handles four elements. */
const THREADS = 64;

/**
 * Records an elementwise kernel over `count` elements, four a thread.
 *
 * Buffers are multiples of 256 bytes and belong to one tensor alone, so the last thread may run over the end.
 *
 * @param params Parameters besides `quads`, the number of four-element groups.
 * @param constants `override` constants besides the workgroup size.
 */
export function dispatchElementwise(
  stream: Stream,
  kernel: Kernel,
  tensors: readonly Tensor[],
  count: number,
  groupLimit: number | undefined,
  params: Readonly<Record<string, number>> = {},
  constants: Constants = {},
): void {
  const quads = Math.ceil(count / 4);
  stream.dispatch(kernel, {
    tensors,
    params: { ...params, quads },
    groups: foldGroups(Math.ceil(quads / THREADS), groupLimit),
    constants: { ...constants, WG: THREADS },
  });
}
