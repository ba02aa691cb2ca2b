/**
 * Runs the method of an editing golden with the case's own requests, contexts, layers and numbers.
 *
 * @module
 */
import { aceChain, type ChainRequest } from "../../editing/ace_chain.ts";
import { acePaper, type PaperStage } from "../../editing/ace_paper.ts";
import { targetIds } from "../../editing/edit_token.ts";
import { memit } from "../../editing/memit.ts";
import { pmet } from "../../editing/pmet.ts";
import type { EditSession } from "../../editing/session.ts";
import { searchRows, type SpreadHyperparameters, type TokenRequest } from "../../editing/targets.ts";
import type { SearchRow, SearchSite } from "../../editing/target_search.ts";
import type { Tokenizer } from "../../model/tokenizer.ts";
import type { ChainCase, EditingCase, PaperCase, PublishedCase } from "./editing_case.ts";

/** Reads what there is to compare after a part of the edit; `name` is the golden's name for the moment. */
export type AfterPart = (name: string) => Promise<void>;

/**
 * Computes the edit of a case; its writes stay laid over the session's model.
 *
 * @param after Called after each pass or edit.
 */
export async function runEditingCase(session: EditSession, file: EditingCase, after: AfterPart): Promise<void> {
  if (file.method === "ace-chain") await runChain(session, file, after);
  else if (file.method === "ace-paper") await runPaper(session, file, after);
  else {
    const method = file.method === "memit" ? memit : pmet;
    await method(session, singleHop(file), file.contexts, ascending(file.hparams.layers), spreadNumbers(file.hparams));
  }
}

/** Sites that the searches of a case change, in the order in which they are searched. */
export function searchedSites(file: EditingCase): SearchSite[] {
  if (file.method === "memit") return ["block"];
  if (file.method === "pmet" || (file.method === "ace-paper" && file.hparams.search === "joint")) {
    return ["attn", "mlp"];
  }
  return ["mlp"];
}

/** Rows of the searches of MEMIT and PMET as the library makes them, search by search. */
export function expectedRows(tokenizer: Tokenizer, file: PublishedCase): SearchRow[][] {
  return singleHop(file).map((request) => searchRows(tokenizer, request, file.contexts));
}

async function runChain(session: EditSession, file: ChainCase, after: AfterPart): Promise<void> {
  const { model } = session;
  const h = file.hparams;
  // Prompts are tokenized as they stand; an edit must not depend on whether the model it runs on was edited before.
  const requests = file.requests.map((request): ChainRequest => ({
    oneHop: request.one_hop.map((prompt) => model.tokens(prompt)),
    twoHop: request.two_hop.map((prompt) => model.tokens(prompt)),
    target: targetIds(model.tokenizer, request.target_new),
    preserve: request.preserve.map(({ prompt, continuation }) => ({ prompt: model.tokens(prompt), continuation })),
  }));
  for (const [i, request] of requests.entries()) {
    await aceChain(session, request, ascending(h.layers), {
      oneHopWeight: h.one_hop_weight,
      keptWeight: h.kept_weight,
      eps: h.eps,
      lambda: h.lambda,
      ridge: h.ridge,
      maxGain: 1,
      lr: h.lr,
      steps: h.steps,
      clamp: h.clamp,
      weightDecay: h.weight_decay,
      stop: h.stop,
    });
    await after(`after_edit.${i}`);
  }
}

async function runPaper(session: EditSession, file: PaperCase, after: AfterPart): Promise<void> {
  const { V, Q, search, edit_token_pass1: editToken } = file.hparams;
  const value = file.requests.map(({ multi_hop, target_new }): TokenRequest => ({
    ...multi_hop,
    target: target_new,
    editToken,
  }));
  const stages: PaperStage[] = [
    { requests: value, layers: ascending(V) },
    { requests: singleHop(file), layers: ascending(Q) },
  ];
  for (const [i, stage] of stages.entries()) {
    await acePaper(session, [stage], file.contexts, spreadNumbers(file.hparams), search);
    await after(`after_pass.${i + 1}`);
  }
}

function singleHop(file: PublishedCase | PaperCase): TokenRequest[] {
  return file.requests.map(({ prompt, subject, target_new }) => ({
    prompt,
    subject,
    target: target_new,
    editToken: "subject_last",
  }));
}

function spreadNumbers(h: PublishedCase["hparams"] | PaperCase["hparams"]): SpreadHyperparameters {
  return {
    steps: h.v_num_grad_steps,
    lr: h.v_lr,
    clamp: h.clamp_norm_factor,
    weightDecay: h.v_weight_decay,
    klFactor: h.kl_factor,
    lambda: h.mom2_update_weight,
    nllFactor: h.nll_loss_factor,
  };
}

function ascending(layers: readonly number[]): number[] {
  return layers.toSorted((a, b) => a - b);
}
