import { matrix } from "../linalg/dense.ts";
import { momentMetric, preservingMetric } from "../linalg/metric.ts";
import type { ChainHyperparameters } from "./ace_chain.ts";
import type { EditSession, Write } from "./session.ts";
import { solveWrite, type WriteSystem } from "./solve_spread.ts";

/**
 * The write of chain mode: least squares in the metric M = lambda C + eps mean(diag C) I + (keptWeight / n) sum s sᵀ,
 * s the n preserved keys.
 */
export async function solveChain(session: EditSession, system: WriteSystem, h: ChainHyperparameters): Promise<Write> {
  const n = session.model.config.dMlp;
  const moment = matrix(n, n, await session.moments.get(system.layer));
  const options = { lambda: h.lambda, eps: h.eps };
  const metric = system.kept
    ? preservingMetric(moment, { keys: matrix(system.kept.length / n, n, system.kept), weight: h.keptWeight }, options)
    : momentMetric(moment, options);
  return await solveWrite(session, system, metric, h.ridge);
}
