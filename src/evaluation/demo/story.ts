/**
 * The main job, chapter by chapter: what the model answers, what recalls it, the plan, the edit, and what follows.
 *
 * @module
 */
import { attribute, type Attribution } from "../../attribution/attribute.ts";
import type { EditNorm, EditRecord } from "../../editing/edit.ts";
import { edit } from "../../editing/edit_model.ts";
import { planEdit, type PlannedEdit } from "../../editing/plan_edit.ts";
import type { EditProgress } from "../../editing/session.ts";
import { alternatives } from "../../editing/support.ts";
import type { Model } from "../../model/model.ts";
import { askPrompts, type PromptState } from "./answers.ts";
import type { DemoPrompt, DemoSetup } from "./setup.ts";

/** What recalled an answer. */
export interface Recall {
  /** Prompt that was attributed. */
  readonly prompt: string;
  /** Answer that was scored. */
  readonly target: string;
  /** Scores of layers and neurons. */
  readonly attribution: Attribution;
}

/** A prompt with what the model says to it before and after the edit. */
export interface AskedPrompt extends DemoPrompt {
  /** Unedited model. */
  readonly before: PromptState;
  /** Edited model. */
  readonly after: PromptState;
}

/** The whole job. */
export interface DemoStory {
  /** Name of the model's folder. */
  readonly model: string;
  /** The edit and its judged side. */
  readonly setup: DemoSetup;
  /** What recalled the answer of the one-hop and of the two-hop prompt. */
  readonly recalls: readonly Recall[];
  /** Layers with reasons. */
  readonly planned: PlannedEdit;
  /** What the edit was made from and how its search went. */
  readonly record: EditRecord;
  /** Size of the change by layer. */
  readonly norms: readonly EditNorm[];
  /** All prompts before and after. */
  readonly asked: readonly AskedPrompt[];
  /** Time of the whole job without loading, in milliseconds. */
  readonly elapsedMs: number;
}

/** Called as the chapters end. */
export interface StoryListener {
  /** Answers of the unedited model, in the order of the setup's prompts. */
  onAnswers?: (prompts: readonly DemoPrompt[], states: readonly PromptState[]) => void;
  /** What recalled one prompt's answer. */
  onRecall?: (recall: Recall) => void;
  /** Layers with reasons. */
  onPlan?: (planned: PlannedEdit) => void;
  /** Progress of the edit. */
  onProgress?: (progress: EditProgress) => void;
  /** What the edit was made from, and the size of the change. */
  onEdit?: (record: EditRecord, norms: readonly EditNorm[]) => void;
  /** The whole job, at its end. */
  onEnd?: (story: DemoStory) => void;
}

/** How the job is done. */
export interface StoryOptions {
  /** Folder for second moments. Default: none is kept. */
  readonly momentsCache?: string;
  /** Neurons scored for each prompt. Default: 100. */
  readonly top?: number;
  /** Stops at the next step. */
  readonly signal?: AbortSignal;
}

/**
 * Does the main job; the model is unedited again at the end.
 *
 * @param model Unedited model.
 * @param setup Edit and judged side.
 * @param listener Told what each chapter found.
 * @param options How the job is done.
 * @returns Everything that was found.
 */
export async function tellStory(
  model: Model,
  setup: DemoSetup,
  listener: StoryListener = {},
  options: StoryOptions = {},
): Promise<DemoStory> {
  const start = performance.now();
  const { facts, request, oldAnswer, prompts, exclude, seed } = setup;
  const { signal, momentsCache, top = 100 } = options;
  signal?.throwIfAborted();
  const states = await askPrompts(model, prompts);
  listener.onAnswers?.(prompts, states);

  const others = alternatives(facts, facts.relationOf(request.prompt).name, oldAnswer);
  const recalls: Recall[] = [];
  for (const prompt of [setup.oneHop, setup.twoHop]) {
    const target = ` ${oldAnswer}`;
    recalls.push({
      prompt,
      target,
      attribution: await attribute(model, { prompt, target, top, alternatives: others, signal }),
    });
    listener.onRecall?.(recalls.at(-1)!);
  }

  const planned = await planEdit(model, request, { facts, exclude, seed, signal });
  listener.onPlan?.(planned);

  using change = await edit(model, [request], {
    method: "ace",
    mode: "chain",
    facts,
    exclude,
    seed,
    plan: planned.plan,
    ...(momentsCache === undefined ? {} : { momentsCache }),
    signal,
    ...(listener.onProgress ? { onProgress: listener.onProgress } : {}),
  });
  listener.onEdit?.(change.record, change.norms());

  change.apply();
  const after = await askPrompts(model, prompts);
  signal?.throwIfAborted();
  const story: DemoStory = {
    model: model.name,
    setup,
    recalls,
    planned,
    record: change.record,
    norms: change.norms(),
    asked: prompts.map((prompt, i) => ({ ...prompt, before: states[i]!, after: after[i]! })),
    elapsedMs: performance.now() - start,
  };
  listener.onEnd?.(story);
  return story;
}
