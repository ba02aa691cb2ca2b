/**
 * The bench: its parts by name, and a run of some of them.
 *
 * @module
 */
import { Gpu } from "../../src/gpu/gpu.ts";
import type { ForcedVariant } from "../../src/gpu/traits.ts";
import type { BenchResult, Comparison } from "./comparison.ts";
import type { BenchContext } from "./context.ts";
import { dispatchBench } from "./dispatch_bench.ts";
import { linalgBench } from "./linalg_bench.ts";
import { matmulBench } from "./matmul_bench.ts";
import { matvecBench } from "./matvec_bench.ts";
import { neuronsBench } from "./neurons_bench.ts";
import { rowsBench } from "./rows_bench.ts";
import { searchBench } from "./search_bench.ts";
import { smollm2Bench } from "./smollm2_bench.ts";
import { submitsBench } from "./submits_bench.ts";

/** Parts of the bench, as `--only` names them. */
export const BENCHES = {
  matmul: matmulBench,
  matvec: matvecBench,
  rows: rowsBench,
  linalg: linalgBench,
  dispatch: dispatchBench,
  submits: submitsBench,
  search: searchBench,
  neurons: neuronsBench,
  smollm2: smollm2Bench,
} as const satisfies Record<string, (context: BenchContext) => Promise<Comparison[]>>;

/** Name of a part. */
export type BenchName = keyof typeof BENCHES;

/** Names of all parts, in the order in which they run. */
export const BENCH_NAMES = Object.keys(BENCHES) as BenchName[];

/** Runs parts of the bench one after the other on one device. */
export async function runBench(
  names: readonly BenchName[],
  options: Omit<BenchContext, "gpu"> & { variant?: ForcedVariant | undefined },
): Promise<BenchResult> {
  using gpu = await Gpu.open(options.variant === undefined ? {} : { variant: options.variant });
  const comparisons: Comparison[] = [];
  for (const name of BENCH_NAMES.filter((name) => names.includes(name))) {
    comparisons.push(...await BENCHES[name]({ gpu, ...options }));
  }
  const { os, arch } = Deno.build;
  return {
    machine: {
      adapter: gpu.adapterName,
      runtime: `Deno ${Deno.version.deno}, ${os} ${arch}, ${navigator.hardwareConcurrency} cores`,
      date: new Date().toISOString().slice(0, 10),
    },
    comparisons,
  };
}
