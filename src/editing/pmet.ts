import type { EditSession } from "./session.ts";
import { writeSpread } from "./spread_writes.ts";
import { type Contexts, findTargets, type SpreadHyperparameters, type TokenRequest } from "./targets.ts";

/**
 * PMET (Li et al. 2024, arXiv 2308.08742): attention and MLP outputs are searched jointly at the last layer, the MLP
 * half alone is written, spread by square roots over `layers`.
 *
 * D = R Kᵀ (lambda C + K Kᵀ)⁻¹ with R = (m* - m) / sqrt(layers left).
 *
 * @param layers Edited layers, ascending.
 * @param search Vectors searched: both jointly with the attention half dropped, or the MLP's alone. Default: "joint".
 */
export async function pmet(
  session: EditSession,
  requests: readonly TokenRequest[],
  contexts: Contexts,
  layers: readonly number[],
  hparams: SpreadHyperparameters,
  search: "joint" | "mlp" = "joint",
): Promise<void> {
  const targets = await findTargets(session, requests, contexts, hparams, {
    layer: layers.at(-1)!,
    sites: search === "joint" ? ["attn", "mlp"] : ["mlp"],
    switchFactor: true,
  });
  await writeSpread(session, requests, contexts, layers, {
    site: "mlp",
    target: targets.mlp,
    divisor: (layersLeft) => Math.sqrt(layersLeft),
    lambda: hparams.lambda,
  });
}
