import { matrix } from "../linalg/dense.ts";
import type { ChainHyperparameters } from "./ace_chain.ts";
import type { EditSession, Write } from "./session.ts";
import { solveWrite, type WriteSystem } from "./solve_spread.ts";
import { withMetric } from "./write_metric.ts";

/**
 * The write of chain mode: least squares in the metric M = lambda C + eps mean(diag C) I + (keptWeight / n) sum s sᵀ,
 * s the n preserved keys.
 */
export async function solveChain(session: EditSession, system: WriteSystem, h: ChainHyperparameters): Promise<Write> {
  const { layer, kept } = system;
  const { lambda, eps, keptWeight: weight, ridge } = h;
  const n = session.model.config.dMlp;
  const preserved = kept ? { keys: matrix(kept.length / n, n, kept), weight } : undefined;
  const options = { layer, lambda, eps, ...(preserved ? { preserved } : {}) };
  return await withMetric(session, options, (metric) => solveWrite(session, system, metric, ridge));
}
