/**
 * Target values and keys at one edit token per prompt: what MEMIT, PMET and ACE's paper mode share.
 *
 * @module
 */
import { captureRows } from "../model/capture.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { editPosition, type EditToken, targetIds } from "./edit_token.ts";
import { fillTemplate, SUBJECT_SLOT } from "./prompt_forms.ts";
import type { EditSession } from "./session.ts";
import {
  type SearchNumbers,
  type SearchResult,
  type SearchRow,
  type SearchSite,
  searchTargets,
} from "./target_search.ts";

/** Context templates: types of contexts, each a list of texts with one `{}`; keys are means of types. */
export type Contexts = readonly (readonly string[])[];

/** A prompt to edit, with the token to edit it at. */
export interface TokenRequest {
  /** Prompt with one `{}`. */
  prompt: string;
  /** What stands in its place. */
  subject: string;
  /** Wanted answer. */
  target: string;
  /** Where the edit acts. */
  editToken: EditToken;
  /** Further templates with their subjects that ask the same (ACE's multi-hop support); rows of the search, part of the key. */
  more?: readonly { prompt: string; subject: string }[];
}

/** Hyper-parameters of MEMIT, PMET and paper mode; what they keep by `klFactor` is the prediction at "{subject} is a". */
export interface SpreadHyperparameters extends SearchNumbers {
  /** Weight of the second moments: pseudo-tokens of preserved knowledge. */
  lambda: number;
}

/** A template that is asked: prompt in a context, and its subject. */
interface Form {
  template: string;
  subject: string;
}

/** Hook of a site's output. */
export function siteHook(site: SearchSite, layer: number): string {
  const names = { block: "hook_resid_post", mlp: "hook_mlp_out", attn: "hook_attn_out" };
  return `blocks.${layer}.${names[site]}`;
}

/** A request's forms in one list of contexts: every prompt of the request in every context. */
function formsIn(request: TokenRequest, contexts: readonly string[]): Form[] {
  return [request, ...(request.more ?? [])].flatMap(({ prompt, subject }) =>
    contexts.map((context) => ({ template: fillTemplate(context, prompt), subject }))
  );
}

/** Rows of a request's search: its forms with the target's tokens but the last, then "{subject} is a". */
export function searchRows(tokenizer: Tokenizer, request: TokenRequest, contexts: Contexts): SearchRow[] {
  const target = targetIds(tokenizer, request.target);
  const forms = formsIn(request, contexts.flat());
  const rows = forms.map(({ template, subject }): SearchRow => {
    const prompt = tokenizer.encode(fillTemplate(template, subject));
    const position = editPosition(tokenizer, template, subject, request.editToken);
    const weight = 1 / (forms.length * target.length);
    return {
      // Ids, since tokens that end inside a character have no text of their own to be encoded again.
      ids: [...prompt, ...target.slice(0, -1)],
      edits: [{ position, slot: 0 }],
      labels: target.map((token, j) => ({ position: prompt.length - 1 + j, token, weight })),
    };
  });
  const essence = `${SUBJECT_SLOT} is a`;
  const position = editPosition(tokenizer, essence, request.subject, request.editToken);
  const ids = tokenizer.encode(fillTemplate(essence, request.subject));
  return [...rows, { ids, edits: [{ position, slot: 0 }], labels: [], keepAt: position }];
}

/**
 * Searches the target value of each request at `layer`.
 *
 * @returns v* = v0 + delta of each request by site, [requests, dModel].
 */
export async function findTargets(
  session: EditSession,
  requests: readonly TokenRequest[],
  contexts: Contexts,
  hparams: SpreadHyperparameters,
  search: { layer: number; sites: readonly SearchSite[]; switchFactor: boolean },
): Promise<Record<SearchSite, Float64Array>> {
  const { model } = session;
  const width = model.config.dModel;
  const stars = Object.fromEntries(search.sites.map((site) => [site, new Float64Array(requests.length * width)]));
  for (const [i, request] of requests.entries()) {
    session.report("search", i, requests.length);
    const found = await searchTargets(model, searchRows(model.tokenizer, request, contexts), {
      ...hparams,
      ...search,
      stopBelow: 0.05,
      stopOn: "loss",
      scale: "first",
      trace: session.trace,
      signal: session.signal,
    });
    session.addSearch(found);
    for (const site of search.sites) stars[site]!.set(star(found, site, width), i * width);
  }
  return stars as Record<SearchSite, Float64Array>;
}

/** v* = v0 + delta, v0 read at the bare prompt. */
function star(found: SearchResult, site: SearchSite, width: number): Float64Array {
  return Float64Array.from({ length: width }, (_, k) => found.before[site]![k]! + found.delta[site]![k]!);
}

/**
 * Key of each request at `layer`: the input of the MLP output matrix at the edit token, mean inside each type of
 * contexts, then mean of types (over the prompts of a request too).
 *
 * @returns [requests, dMlp].
 */
export async function takeKeys(
  session: EditSession,
  requests: readonly TokenRequest[],
  contexts: Contexts,
  layer: number,
): Promise<Float32Array> {
  const { model } = session;
  const forms = requests.flatMap((request, owner) =>
    contexts.flatMap((type) => {
      const list = formsIn(request, type);
      const weight = 1 / (list.length * contexts.length);
      return list.map((form) => ({ owner, form, token: request.editToken, weight }));
    })
  );
  const sequences = forms.map(({ form, token }) => ({
    ids: model.tokens(fillTemplate(form.template, form.subject)),
    positions: [editPosition(model.tokenizer, form.template, form.subject, token)],
  }));
  const [rows] = await captureRows(model, sequences, [`blocks.${layer}.mlp.hook_post`]);
  const width = model.config.dMlp;
  const sums = new Float64Array(requests.length * width);
  forms.forEach(({ owner, weight }, f) => {
    for (let k = 0; k < width; k++) sums[owner * width + k]! += weight * rows![f * width + k]!;
  });
  return Float32Array.from(sums);
}

/** Present output of `site` at `layer` at the edit token of each bare prompt, [requests, dModel]. */
export async function currentValues(
  session: EditSession,
  requests: readonly TokenRequest[],
  site: SearchSite,
  layer: number,
): Promise<Float32Array> {
  const { model } = session;
  const sequences = requests.map(({ prompt, subject, editToken }) => ({
    ids: model.tokens(fillTemplate(prompt, subject)),
    positions: [editPosition(model.tokenizer, prompt, subject, editToken)],
  }));
  const [rows] = await captureRows(model, sequences, [siteHook(site, layer)]);
  return rows!;
}
