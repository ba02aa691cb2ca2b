import { solveSpread } from "./solve_spread.ts";
import type { EditSession } from "./session.ts";
import {
  type Contexts,
  currentValues,
  findTargets,
  type SpreadHyperparameters,
  takeKeys,
  type TokenRequest,
} from "./targets.ts";

/**
 * PMET (Li et al. 2024, arXiv 2308.08742): attention and MLP outputs are searched jointly at the last layer, the MLP
 * half alone is written, spread by square roots over `layers`.
 *
 * D = R Kᵀ (lambda C + K Kᵀ)⁻¹ with R = (m* - m) / sqrt(layers left).
 *
 * @param layers Edited layers, ascending.
 */
export async function pmet(
  session: EditSession,
  requests: readonly TokenRequest[],
  contexts: Contexts,
  layers: readonly number[],
  hparams: SpreadHyperparameters,
): Promise<void> {
  const z = layers.at(-1)!;
  const targets = await findTargets(session, requests, contexts, hparams, {
    layer: z,
    sites: ["attn", "mlp"],
    switchFactor: true,
  });
  for (const [i, layer] of layers.entries()) {
    const keys = await takeKeys(session, requests, contexts, layer);
    const current = await currentValues(session, requests, "mlp", z);
    const divisor = Math.sqrt(layers.length - i);
    session.write(
      await solveSpread(session, { layer, keys, current, target: targets.mlp, divisor }, hparams.lambda),
    );
  }
}
