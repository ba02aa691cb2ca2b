import { pmet } from "./pmet.ts";
import type { EditSession } from "./session.ts";
import type { Contexts, SpreadHyperparameters, TokenRequest } from "./targets.ts";

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
  // Each stage is PMET's search and spread; what is ACE's own is which prompts go to which layers, and in which order.
  for (const { requests, layers } of stages) await pmet(session, requests, contexts, layers, hparams, search);
}
