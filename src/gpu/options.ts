import type { DeviceTraits, ForcedVariant } from "./traits.ts";

/** What can be asked of {@linkcode Gpu.open}. */
export interface GpuOptions {
  /** Bytes that tensors may take in all. Default: 70 % of the free memory on a CPU adapter, else no limit of ours. */
  maxBytes?: number;
  /** Variants of kernels to run instead of those that the measured traits choose. */
  variant?: ForcedVariant;
  /** Traits to choose variants by, in tests. Default: measured once a process. */
  traits?: DeviceTraits;
  /** Bytes that one binding may hold; smaller in tests, to reach matrices that are bound by rows. Default: the device's. */
  maxBindingBytes?: number;
  /** Features left out on purpose, to run the variants that need none of them. Default: none. */
  without?: readonly GpuFeature[];
}

/** Optional abilities of the device, each found by trying. */
export type GpuFeature = "f16" | "timestamps" | "subgroups" | "f64" | "u64";
