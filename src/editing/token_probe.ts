import type { Model } from "../model/model.ts";
import type { EditToken } from "./edit_token.ts";
import { reachesLabel, searchTargets } from "./target_search.ts";
import { searchRows, type SpreadHyperparameters } from "./targets.ts";
import type { EditRequest } from "./requests.ts";

/** What a few search steps reached at one layer and token. */
export interface Probe {
  /** Layer of the MLP output that was changed. */
  layer: number;
  /** Token it was changed at. */
  token: EditToken;
  /** Negative log-probability of the new answer before. */
  before: number;
  /** And after the steps. */
  after: number;
}

/** Search steps of a probe: enough to see whether later layers read the position at all. */
const PROBE_STEPS = 5;

/** Runs a short search on the bare prompt: can a change at this layer and token bring the new answer about? */
export async function probe(
  model: Model,
  request: EditRequest,
  layer: number,
  token: EditToken,
  hparams: SpreadHyperparameters,
  signal?: AbortSignal,
): Promise<Probe> {
  signal?.throwIfAborted();
  const rows = searchRows(model.tokenizer, { ...request, editToken: token }, [["{}"]]);
  if (!reachesLabel(rows, layer, model.config.nLayers)) {
    // The probe needs no search to know.
    return { layer, token, before: Infinity, after: Infinity };
  }
  const { steps } = await searchTargets(model, rows, {
    ...hparams,
    nllFactor: 1,
    layer,
    sites: ["mlp"],
    steps: PROBE_STEPS + 1,
    stopBelow: 0,
    stopOn: "nll",
    switchFactor: false,
    scale: "first",
    signal,
  });
  return { layer, token, before: steps[0]!.nll, after: steps.at(-1)!.nll };
}

/** Whether a probe at least halved the negative log-probability. */
export function halves({ before, after }: Probe): boolean {
  return Number.isFinite(before) && after <= before / 2;
}
