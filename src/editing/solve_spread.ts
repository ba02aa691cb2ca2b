import { matrix } from "../linalg/dense.ts";
import type { Metric } from "../linalg/metric.ts";
import { chainUpdate, type LeftOut } from "../linalg/thin_update.ts";
import type { EditSession, Write } from "./session.ts";
import { withMetric } from "./write_metric.ts";

/** What one closed-form write is computed from; columns of the formulas are rows here. */
export interface WriteSystem {
  /** Layer whose MLP output matrix changes. */
  layer: number;
  /** Keys K, [u, dMlp]. */
  keys: Float32Array;
  /** Present outputs, [u, dModel]. */
  current: Float32Array;
  /** Wanted outputs, [u, dModel]. */
  target: Float64Array;
  /** What the residual is divided by. */
  divisor: number;
  /** Keys of preserved prompts, [n, dMlp]. */
  kept?: Float32Array;
  /** Groups of keys that the length of the change is set by. */
  leftOut?: LeftOut;
}

/** D = (R / divisor) Kᵀ (lambda C + K Kᵀ)⁻¹, the write of MEMIT, PMET and paper mode (Meng et al. 2023, equation 14). */
export async function solveSpread(session: EditSession, system: WriteSystem, lambda: number): Promise<Write> {
  const { layer } = system;
  return await withMetric(session, { layer, lambda }, (metric) => solveWrite(session, system, metric, 1));
}

/** D = (gain R / divisor) (ridge I + Kᵀ M⁻¹ K)⁻¹ Kᵀ M⁻¹ in factors, with its residual. */
export async function solveWrite(
  session: EditSession,
  system: WriteSystem,
  metric: Metric,
  ridge: number,
): Promise<Write> {
  const { dMlp, dModel } = session.model.config;
  const { layer, divisor, keys, current, target, kept, leftOut } = system;
  const u = keys.length / dMlp;
  const residual = Float64Array.from(target, (wanted, i) => wanted - current[i]!);
  const update = await chainUpdate(
    { keys: matrix(u, dMlp, keys), residual: matrix(u, dModel, residual), divisor, metric },
    { ridge, ...(leftOut ? { leftOut } : {}) },
  );
  return {
    layer,
    divisor,
    keys,
    current,
    residual,
    ...(kept ? { kept } : {}),
    backwardError: update.backwardError,
    conditionEstimate: update.conditionEstimate,
    gain: update.gain,
    patch: {
      weight: `blocks.${layer}.mlp.W_out`,
      left: Float32Array.from(update.left.data),
      right: Float32Array.from(update.right.data),
      rank: u,
    },
  };
}
