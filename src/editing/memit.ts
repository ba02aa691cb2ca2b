import type { EditSession } from "./session.ts";
import { writeSpread } from "./spread_writes.ts";
import { type Contexts, findTargets, type SpreadHyperparameters, type TokenRequest } from "./targets.ts";

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
  const targets = await findTargets(session, requests, contexts, hparams, {
    layer: layers.at(-1)!,
    sites: ["block"],
    switchFactor: false,
  });
  await writeSpread(session, requests, contexts, layers, {
    site: "block",
    target: targets.block,
    divisor: (layersLeft) => layersLeft,
    lambda: hparams.lambda,
  });
}
