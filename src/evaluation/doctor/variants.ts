/**
 * Which variant of a kernel runs on this device, and why.
 *
 * @module
 */
import { attentionThreads } from "../../../kernels/attention_sizes.ts";
import { suitsSubgroups } from "../../../kernels/attention_variant.ts";
import type { MatmulLayout } from "../../../kernels/matmul_problem.ts";
import { explainVariant } from "../../../kernels/matmul_variant.ts";
import { rowThreads } from "../../../kernels/rows.ts";
import type { Gpu } from "../../gpu/gpu.ts";

/** A kernel variant that will run for some size. */
export interface KernelChoice {
  /** What is computed. */
  operation: string;
  /** Size it is computed at. */
  size: string;
  /** The variant. */
  variant: string;
  /** Why this one. */
  reason: string;
}

/** Products of a small model: where each occurs, rows x inner x cols, layout. */
const PRODUCTS: readonly [use: string, rows: number, inner: number, cols: number, layout: MatmulLayout][] = [
  ["linear layer, one token", 1, 576, 1536, "nt"],
  ["linear layer, prompt", 60, 576, 1536, "nt"],
  ["linear layer, backward", 60, 1536, 576, "nn"],
  ["gradient of a weight", 576, 60, 1536, "tn"],
  ["square matrices", 512, 512, 512, "nt"],
];

/** Tokens of a usual prompt. */
const TOKENS = 60;

/** Head widths: the usual one, and one that no vector of four divides. */
const HEADS = [64, 6];

/** Widths of rows: of a small model's residual, and of a vocabulary. */
const WIDTHS = [576, 49152];

/** Lists the variants that run for usual sizes, from the same rules by which kernels choose. */
export function explainVariants(gpu: Gpu): KernelChoice[] {
  const products = PRODUCTS.map(([operation, rows, inner, cols, layout]): KernelChoice => {
    const { variant, reason } = explainVariant(gpu, rows, cols, inner, layout);
    const size = `${rows} x ${inner} x ${cols} ${layout}`;
    return { operation, size, variant, reason: reason.replace(`${size}: `, "") };
  });
  const { way, reason } = gpu.sharing;
  const attention = HEADS.map((dHead): KernelChoice => {
    const size = `${TOKENS} tokens, dHead ${dHead}`;
    if (suitsSubgroups(gpu, TOKENS, dHead)) {
      return { operation: "attention", size, variant: "subgroup", reason };
    }
    const variant = `rows, ${attentionThreads(gpu, TOKENS, dHead)} threads each`;
    const odd = way === "broadcast" ? "dHead is no multiple of 4; " : "";
    return { operation: "attention", size, variant, reason: `${odd}${reason}` };
  });
  const rows = WIDTHS.map((width): KernelChoice => ({
    operation: "norms, softmax, losses",
    size: `rows of ${width}`,
    variant: `${rowThreads(gpu, width)} threads a row`,
    reason,
  }));
  return [...products, ...attention, ...rows];
}
