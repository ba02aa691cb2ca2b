import type { Gpu } from "../src/gpu/gpu.ts";
import { defineKernel, type Kernel } from "../src/gpu/kernel.ts";
import { link } from "./link.ts";

/**
 * Declares a kernel that calls the shared functions `octet`, in two forms: with words of 32 bits and of 64.
 *
 * @param kernel The kernel, its code not yet linked.
 * @returns The form that a device can run: 64 bits where it was granted `u64`.
 */
export function defineOctetKernel(kernel: Kernel): (gpu: Gpu) => Kernel {
  const narrow = defineKernel({ ...kernel, code: link(kernel.code) });
  const wide = defineKernel({ ...kernel, name: `${kernel.name}_wide`, code: link(kernel.code, { wide: true }) });
  return (gpu) => gpu.features.has("u64") ? wide : narrow;
}
