import type { EditSession } from "./session.ts";
import { solveSpread } from "./solve_spread.ts";
import {
  type Contexts,
  currentValues,
  findTargets,
  type SpreadHyperparameters,
  takeKeys,
  type TokenRequest,
} from "./targets.ts";

/** One stage of ACE's paper mode. */
export interface PaperStage {
  /** Requests with the prompts of this stage. */
  requests: readonly TokenRequest[];
  /** Edited layers, ascending. */
  layers: readonly number[];
}

/**
 * ACE as the paper describes it (arXiv 2510.07896): first the value layers with a multi-hop prompt, then the query
 * layers with the single-hop prompt on the model that the first stage left. MLP output matrices only.
 *
 * @param stages Value stage, query stage.
 * @param search Vectors searched: attention and MLP jointly with the attention half dropped, or the MLP's alone.
 */
export async function acePaper(
  session: EditSession,
  stages: readonly PaperStage[],
  contexts: Contexts,
  hparams: SpreadHyperparameters,
  search: "joint" | "mlp" = "mlp",
): Promise<void> {
  for (const { requests, layers } of stages) {
    const z = layers.at(-1)!;
    const targets = await findTargets(session, requests, contexts, hparams, {
      layer: z,
      sites: search === "joint" ? ["attn", "mlp"] : ["mlp"],
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
}
