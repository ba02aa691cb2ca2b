/**
 * The flags that decide how a command opens the GPU.
 *
 * @module
 */
import type { Command } from "commander";
import type { GpuOptions } from "../../src/gpu/options.ts";
import { FORCED_VARIANTS, type ForcedVariant } from "../../src/gpu/traits.ts";
import { oneOf } from "./command.ts";

/** Flags that decide how the GPU is opened. */
export interface GpuFlags {
  /** Variants of kernels to run instead of the chosen ones. */
  variant?: ForcedVariant;
  /** Bytes that the GPU may be asked for. */
  maxMemory?: number;
}

/** Adds `--variant`, which every command that runs kernels has. */
export function withVariantFlag(program: Command): Command {
  const description = `kernels to run instead of those that suit the device: ${FORCED_VARIANTS.join(", ")}`;
  return program.option("--variant <name>", description, oneOf(FORCED_VARIANTS));
}

/** What {@linkcode GpuFlags} mean for `Gpu.open`. */
export function gpuOptions({ variant, maxMemory }: GpuFlags): GpuOptions {
  return {
    ...(variant === undefined ? {} : { variant }),
    ...(maxMemory === undefined ? {} : { maxBytes: maxMemory }),
  };
}
