/**
 * A step of the target search against a whole forward and backward pass through the model.
 *
 * @module
 */
import { adamProject } from "../../kernels/adam_project.ts";
import { decayGradient } from "../../kernels/decay_gradient.ts";
import { rowNorms } from "../../kernels/row_norms.ts";
import { searchStep } from "../../kernels/search_step.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import { SearchCone } from "../../src/editing/search_cone.ts";
import type { SearchOptions, SearchRow } from "../../src/editing/target_search.ts";
import { Temps } from "../../src/model/hooks.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import type { Comparison } from "./comparison.ts";
import { type BenchContext, recorded } from "./context.ts";
import { randomTokens } from "./operands.ts";
import { race, type Timing } from "./race.ts";

/** Tokens of the prompt. */
export const SEARCH_TOKENS = 60;

/** A search at one layer and position, whose steps are recorded one by one without reading back. */
class SearchSteps implements Disposable {
  readonly #model: Model;
  readonly #cone: SearchCone;
  readonly #owned = new Temps();
  readonly #state: Record<"delta" | "m" | "v" | "state" | "log" | "scaled" | "limit" | "decay", Tensor>;
  #step = 0;

  constructor(model: Model, cone: SearchCone) {
    const { gpu, config: { dModel } } = model;
    this.#model = model;
    this.#cone = cone;
    const length = cone.lengths()[0]!;
    const zeros = (shape: number[], label: string, dtype: "f32" | "u32" = "f32"): Tensor =>
      this.#owned.add(gpu.zeros(shape, label, dtype));
    const one = (value: number, label: string): Tensor =>
      this.#owned.add(gpu.upload(new Float32Array([value]), [1], label));
    this.#state = {
      delta: zeros([1, dModel], "search delta"),
      m: zeros([1, dModel], "search m"),
      v: zeros([1, dModel], "search v"),
      state: zeros([4], "search state", "u32"),
      log: zeros([2, 8 + cone.labelCount + 1], "search log"),
      scaled: zeros([cone.labelCount], "search weights"),
      limit: one(4 * length, "search limit"),
      decay: one(0.1 / length ** 2, "search decay"),
    };
  }

  /** Records what one step of `searchTargets` records. */
  record(): void {
    const { gpu: { stream } } = this.#model;
    const { delta, m, v, state, log, scaled, limit, decay } = this.#state;
    const { target, weight } = this.#cone;
    using norms = rowNorms(stream, { x: delta });
    using forward = this.#cone.forward(delta);
    const { logProb, argmax, kl } = forward;
    searchStep(stream, { logProb, argmax, target, weight, kl, norms, decay, state, log, scaled }, {
      // Always the first of two: the search never ends.
      step: 0,
      steps: 2,
      klRows: 0,
      klFactor: 0,
      stopBelow: 0,
      stopOn: "nll",
      switchFactor: false,
    });
    using gradient = this.#cone.backward(forward, scaled);
    decayGradient(stream, { x: delta, norms, decay, gradient });
    this.#step++;
    adamProject(stream, { x: delta, gradient, m, v, limit, state }, {
      lr: 0.1,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      step: this.#step,
    });
    stream.submit();
  }

  /** Negative log-probability of the target at the last step. */
  async nll(): Promise<number> {
    const [log] = await this.#model.gpu.stream.read(this.#state.log);
    return log[0]!;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** A target that the model does not expect after the tokens: the search has something to do. */
const UNEXPECTED = 7;

/** Which search is measured, and what it should reach. */
export interface SearchCase {
  /** Group, as `--only` names it. */
  readonly bench: string;
  /** Layer whose MLP output is searched. */
  readonly layer: number;
  /** Position of it among {@linkcode SEARCH_TOKENS}: what stands before never changes. */
  readonly position: number;
  /** Largest share of a whole pass. */
  readonly goal: number;
}

/** Measures a search step against a forward and backward pass through the whole model, weights frozen in both. */
export async function compareSearch(context: BenchContext, model: Model, search: SearchCase): Promise<Comparison> {
  const { gpu, seed, rounds } = context;
  const { layer, position } = search;
  const ids = randomTokens(model, seed, SEARCH_TOKENS);
  const row: SearchRow = {
    ids,
    edits: [{ position, slot: 0 }],
    labels: [{ position: SEARCH_TOKENS - 1, token: UNEXPECTED, weight: 1 }],
  };
  const options: SearchOptions = {
    layer,
    sites: ["mlp"],
    steps: 2,
    lr: 0.1,
    clamp: 4,
    weightDecay: 0.1,
    klFactor: 0,
    stopBelow: 0,
    stopOn: "nll",
    switchFactor: false,
    scale: "first",
  };
  using cone = await SearchCone.open(model, [row], options);
  using steps = new SearchSteps(model, cone);
  steps.record();
  const first = await steps.nll();
  using cache = model.forward(ids);
  const [logits] = await gpu.stream.read(cache.logits!);
  checkNll(first, logits as Float32Array);
  const timings = await race([
    recorded(gpu, "search step", () => steps.record()),
    recorded(gpu, "forward and backward pass", () => {
      model.gradients(ids, UNEXPECTED, [])[Symbol.dispose]();
      gpu.stream.submit();
    }),
  ], { rounds });
  const last = await steps.nll();
  if (!(last < first)) throw new Error(`The search went from ${first} to ${last}: wanted it to come down`);
  const [step, whole] = timings as [Timing, Timing];
  return {
    bench: search.bench,
    what: `search step, layer ${layer} of ${model.config.nLayers}, position ${position} of ${SEARCH_TOKENS}`,
    ours: `${step.bestMs.toPrecision(3)} ms`,
    against: `whole forward and backward pass: ${whole.bestMs.toPrecision(3)} ms`,
    value: step.bestMs / whole.bestMs,
    unit: "",
    goal: { side: "at most", value: search.goal },
  };
}

/** Measures a search step in the middle of the model of `--model`. */
export async function searchBench(context: BenchContext): Promise<Comparison[]> {
  context.onStage("search step against a whole forward and backward pass");
  using model = await loadModel(context.gpu, context.modelDir);
  const layer = Math.floor(model.config.nLayers / 2);
  return [await compareSearch(context, model, { bench: "search", layer, position: 44, goal: 1 / 3 })];
}

/** Compares the first value of the search with float64 log-sum-exp of the logits of a plain forward pass. */
function checkNll(found: number, logits: Float32Array): void {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const want = largest + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - largest), 0)) - logits[UNEXPECTED]!;
  // Both passes round alike but for the order of sums in attention; a wrong cone is off by whole nats.
  if (!(Math.abs(found - want) <= 1e-3 * Math.max(1, want))) {
    throw new Error(`The search starts at a negative log-probability of ${found}, wanted ${want}`);
  }
}
