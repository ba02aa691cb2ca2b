/**
 * Which variant of a kernel runs on this device, and why.
 *
 * @module
 */
import type { Gpu } from "../../gpu/gpu.ts";

/** A kernel variant that will run for some size. */
export interface VariantChoice {
  /** What is computed. */
  operation: string;
  /** Size it is computed at. */
  size: string;
  /** The variant. */
  variant: string;
  /** Why this one. */
  reason: string;
}

export function explainVariants(_gpu: Gpu): VariantChoice[] {
  return [];
}
