import { type Matrix, matrix } from "../linalg/dense.ts";
import {
  extendMetric,
  type Metric,
  momentMetric,
  type PreservedKeys,
  preservingMetric,
  weightedMoment,
} from "../linalg/metric.ts";
import { factorBytes } from "../linalg/cholesky_gpu.ts";
import { gpuMetric } from "../linalg/solve_spd.ts";
import type { EditSession } from "./session.ts";

/**
 * Widest MLP whose metric is factored in float64 on the CPU: at 1024 that takes 0.2 s, at 2048 2 s, at 4096 18 s. Below,
 * the float64 products that refine a factor of the GPU would take longer than that.
 */
export const CPU_FACTOR_WIDTH = 2048;

/** Whether the metric of an MLP of this width is factored on the GPU: where that is faster and one binding holds the factor. */
export function factorsOnGpu(dMlp: number, bindingBytes: number, cpuWidth: number = CPU_FACTOR_WIDTH): boolean {
  return dMlp > cpuWidth && factorBytes(dMlp) <= bindingBytes;
}

/** Which metric a write is made in. */
export interface WriteMetric {
  /** Layer whose second moment C it is over. */
  layer: number;
  /** Factor of C. */
  lambda: number;
  /** Ridge as a multiple of the mean diagonal of C. Default: 0. */
  eps?: number;
  /** Keys that shall keep their outputs, with the weight of their mean outer product. */
  preserved?: PreservedKeys;
  /** Widest MLP factored on the CPU; smaller in tests. Default: {@linkcode CPU_FACTOR_WIDTH}. */
  cpuWidth?: number;
}

/**
 * Runs `body` with the metric lambda C + eps mean(diag C) I + (w / n) sum s sᵀ: factored whole on the CPU where dMlp is
 * small or a binding too small for the factor; else C alone on the GPU, once, with the preserved keys as a low-rank term.
 */
export async function withMetric<T>(
  session: EditSession,
  options: WriteMetric,
  body: (metric: Metric) => Promise<T>,
): Promise<T> {
  const { layer, lambda, eps = 0, preserved, cpuWidth = CPU_FACTOR_WIDTH } = options;
  const n = session.model.config.dMlp;
  const moment: Matrix = matrix(n, n, await session.moments.get(layer));
  const label = `the second moment of layer ${layer}`;
  if (!factorsOnGpu(n, session.model.gpu.bindingBytes, cpuWidth)) {
    const metric = preserved
      ? preservingMetric(moment, preserved, { lambda, eps, label: `${label} with preserved keys` })
      : momentMetric(moment, { lambda, eps, label });
    return await body(metric);
  }
  using base = await gpuMetric(session.model.gpu.stream, weightedMoment(moment, lambda, eps), { label });
  return await body(preserved ? await extendMetric(base, preserved) : base);
}
