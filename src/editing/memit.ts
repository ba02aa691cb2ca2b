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
 * MEMIT (Meng et al. 2023, arXiv 2210.07229): wanted block outputs z* at the last layer, spread linearly over `layers`.
 *
 * D = R Kᵀ (lambda C + K Kᵀ)⁻¹ with R = (z* - h) / (layers left).
 *
 * @param layers Edited layers, ascending.
 */
export async function memit(
  session: EditSession,
  requests: readonly TokenRequest[],
  contexts: Contexts,
  layers: readonly number[],
  hparams: SpreadHyperparameters,
): Promise<void> {
  const z = layers.at(-1)!;
  const targets = await findTargets(session, requests, contexts, hparams, {
    layer: z,
    sites: ["block"],
    switchFactor: false,
  });
  for (const [i, layer] of layers.entries()) {
    const keys = await takeKeys(session, requests, contexts, layer);
    const current = await currentValues(session, requests, "block", z);
    session.write(
      await solveSpread(
        session,
        { layer, keys, current, target: targets.block, divisor: layers.length - i },
        hparams.lambda,
      ),
    );
  }
}
