import { crossEntropyBackward } from "../../kernels/cross_entropy_backward.ts";
import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { matmulTn } from "../../kernels/matmul_tn.ts";
import { scatterRows } from "../../kernels/scatter_rows.ts";
import { modelLabel } from "../checkpoint/hub/model_label.ts";
import { allOrNone } from "../gpu/all_or_none.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { ActivationCache } from "./activation_cache.ts";
import { type Architecture, architectureOf, type ModelConfig } from "./architectures.ts";
import { blockBackward, finalNormBackward } from "./backward.ts";
import type { KeyValues, PassContext } from "./block.ts";
import { residual, unembed } from "./forward.ts";
import { generate, type GenerateOptions } from "./generate.ts";
import { type HookOptions, Taps, Temps } from "./hooks.ts";
import { linearBackward } from "./linear.ts";
import { RotaryTable } from "./rotary_table.ts";
import { makeRows, type Rows } from "./rows.ts";
import { Tape } from "./tape.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { Weights } from "./weights.ts";
import { WeightPatches } from "./weight_patches.ts";

/** Options of {@linkcode Model.forward}. */
export interface ForwardOptions extends HookOptions {
  /** Positions turned into logits: the last real one of each sequence, all, or none. Default: "last". */
  logits?: "last" | "all" | "none";
}

/** Parts of a model, put together by `loadModel`. */
export interface ModelParts {
  /** Folder or GGUF file that it was loaded from. */
  dir: string;
  /** Sizes. */
  config: ModelConfig;
  /** Weights on the GPU; the model owns them. */
  weights: Weights;
  /** Its tokenizer. */
  tokenizer: Tokenizer;
  /** SHA-256 of the stored weights. */
  hash: string;
}

/** A transformer on the GPU: forward with hooks, backward, generation. */
export class Model implements Disposable {
  /** The device. */
  readonly gpu: Gpu;
  /** Folder or GGUF file that it was loaded from. */
  readonly dir: string;
  /** Sizes. */
  readonly config: ModelConfig;
  /** Record of its family. */
  readonly architecture: Architecture;
  /** Weights by TransformerLens name (`blocks.3.mlp.W_out`). */
  readonly weights: Weights;
  /** Tokenizer of the model's folder. */
  readonly tokenizer: Tokenizer;
  /** SHA-256 of the weights as stored: what edits and second moments are tied to. */
  readonly hash: string;
  /** Low-rank changes laid over the weights by edits. */
  readonly patches: WeightPatches;
  readonly #rotary: RotaryTable;

  /** Puts a model together; use `loadModel`. */
  constructor(gpu: Gpu, parts: ModelParts) {
    this.gpu = gpu;
    this.dir = parts.dir;
    this.config = parts.config;
    this.architecture = architectureOf(parts.config);
    this.weights = parts.weights;
    this.tokenizer = parts.tokenizer;
    this.hash = parts.hash;
    this.patches = new WeightPatches(gpu, parts.weights);
    this.#rotary = new RotaryTable(gpu, parts.config);
  }

  /** What to call it: `org/name` where it was fetched from the hub, else the name of its folder or file. */
  get name(): string {
    return modelLabel(this.dir);
  }

  /**
   * Token ids of a text.
   *
   * @throws {RangeError} If the text is empty or longer than the context.
   */
  tokens(text: string): number[] {
    const ids = this.tokenizer.encode(text);
    this.checkTokens(ids, text);
    return ids;
  }

  /** Passes tokens that the model can run on. @throws {RangeError} If there are none, too many, or one outside the vocabulary. */
  checkTokens(ids: readonly number[], text: string = "the prompt"): void {
    if (ids.length === 0) {
      throw new RangeError("Cannot run the model on an empty prompt: give at least one token of text");
    }
    if (ids.length > this.config.maxPos) {
      throw new RangeError(
        `Cannot run the model on ${JSON.stringify(text.slice(0, 40))}: found ${ids.length} tokens, the context holds ` +
          `${this.config.maxPos}${this.config.windowed ? ", as many as its attention window" : ""}. Shorten the prompt`,
      );
    }
    const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.config.vocab);
    if (bad !== undefined) {
      throw new RangeError(
        `Cannot run the model on token ${bad}: the vocabulary has ids 0 to ${this.config.vocab - 1}`,
      );
    }
  }

  /**
   * Records one forward pass; nothing waits until something is read.
   *
   * @param tokens One sequence or several; shorter ones are padded on the right.
   * @returns Kept activations and logits; the caller disposes it.
   * @throws {RangeError} If a sequence is empty or too long; {TypeError} for an unknown hook name.
   */
  forward(tokens: readonly number[] | readonly (readonly number[])[], options: ForwardOptions = {}): ActivationCache {
    const batch = asBatch(tokens);
    using rows = this.rowsFor(batch);
    using ids = this.uploadIds(batch, rows.queries);
    using made = new DisposableStack();
    const taps = made.use(new Taps(this.gpu.stream, options));
    using temps = new Temps((t) => taps.holds(t));
    let logits: Tensor | null = null;
    const pass = this.pass(rows, { taps });
    const last = temps.add(residual(pass, ids));
    const mode = options.logits ?? "last";
    if (mode === "all") logits = made.use(unembed(pass, last, "all"));
    else if (mode === "last") {
      using at = this.uploadIndex(batch.map((ids, b) => b * rows.queries + ids.length - 1), "last rows");
      logits = made.use(unembed(pass, last, at));
    }
    const cache = new ActivationCache(this.gpu.stream, taps.finish(), logits);
    made.move();
    return cache;
  }

  /**
   * Gradients of log p(target) at the last position of one sequence with respect to hooked activations.
   *
   * @param names Hook names, and `blocks.i.mlp.W_out` for the gradient of that weight [dModel, dMlp].
   * @returns The gradients under the same names; the caller disposes it.
   */
  gradients(tokens: readonly number[], target: number, names: readonly string[]): ActivationCache {
    const { stream } = this.gpu;
    this.checkTokens([target]);
    using rows = this.rowsFor([tokens]);
    using ids = this.uploadIds([tokens], rows.queries);
    using tape = new Tape();
    const weightNames = names.filter((name) => name.endsWith("mlp.W_out"));
    const outs = weightNames.map((name) => name.replace("mlp.W_out", "hook_mlp_out"));
    const posts = weightNames.map((name) => name.replace("W_out", "hook_post"));
    using made = new DisposableStack();
    using forwardTaps = new Taps(stream, { keep: posts });
    const taps = made.use(
      new Taps(stream, { keep: [...names.filter((name) => !weightNames.includes(name)), ...outs] }),
    );
    using temps = new Temps((t) => taps.holds(t));
    const pass = this.pass(rows, { taps: forwardTaps, tape });
    const last = temps.add(residual(pass, ids));
    using at = this.uploadIndex([tokens.length - 1], "last row");
    using logits = unembed(pass, last, at);
    using kept = new ActivationCache(stream, forwardTaps.finish(), null);
    using targets = this.uploadIndex([target], "target");
    using weight = this.gpu.upload(new Float32Array([-1]), [1], "sign");
    const entropy = crossEntropy(stream, { logits, target: targets });
    for (const tensor of Object.values(entropy)) temps.add(tensor);
    using dLogits = crossEntropyBackward(stream, { logits, logProb: entropy.logProb, target: targets, weight });
    using dChosen = linearBackward(stream, this.weights, "unembed.W_U", dLogits);
    using dNormed = this.gpu.zeros([rows.queries, this.config.dModel], "gradient");
    scatterRows(stream, { x: dChosen, index: at, into: dNormed });
    const backward = this.pass(rows, { taps, tape });
    let gradient = temps.add(finalNormBackward(backward, last, dNormed));
    for (let layer = this.config.nLayers - 1; layer >= 0; layer--) {
      gradient = temps.add(blockBackward(backward, layer, gradient));
    }
    const found = taps.finish();
    weightNames.forEach((name, i) => {
      const dOut = found.get(outs[i]!)!.tensor;
      const post = kept.get(posts[i]!).view([rows.queries, this.config.dMlp]);
      const product = this.weights.layout(name) === "out_in" ? { a: dOut, b: post } : { a: post, b: dOut };
      const tensor = matmulTn(stream, product);
      found.set(name, { tensor, shape: tensor.shape });
    });
    made.move();
    return new ActivationCache(stream, found, null);
  }

  /** Continues a prompt token by token; yields text as it becomes complete. */
  generate(prompt: string | readonly number[], options: GenerateOptions = {}): AsyncGenerator<string> {
    return generate(this, prompt, options);
  }

  /**
   * Continues a prompt to the end of the answer: a newline, a full stop that ends the sentence, or `maxTokens` (16).
   *
   * @returns The continuation, with its leading space, without what ended it.
   */
  async complete(prompt: string | readonly number[], options: GenerateOptions = {}): Promise<string> {
    let text = "";
    for await (const piece of this.generate(prompt, { maxTokens: 16, stopAtSentence: true, ...options })) text += piece;
    return text;
  }

  /** The context of a pass over `rows`, for parts of the model that record their own. */
  pass(rows: Rows, extra: { taps?: Taps; tape?: Tape; caches?: readonly (KeyValues | undefined)[] } = {}): PassContext {
    return {
      stream: this.gpu.stream,
      config: this.config,
      architecture: this.architecture,
      weights: this.weights,
      rotaryTable: this.config.rotary ? this.#rotary.upTo(rows.keys) : null,
      rows,
      taps: extra.taps ?? null,
      ...(extra.tape ? { tape: extra.tape } : {}),
      ...(extra.caches ? { caches: extra.caches } : {}),
    };
  }

  /** Rows of whole sequences. */
  rowsFor(batch: readonly (readonly number[])[]): Rows {
    batch.forEach((ids) => this.checkTokens(ids));
    return makeRows(this.gpu, batch.map(() => 0), batch.map((ids) => ids.length));
  }

  /** Uploads sequences padded to `width` with token 0: u32 [batch * width]. */
  uploadIds(batch: readonly (readonly number[])[], width: number): Tensor {
    const flat = new Uint32Array(batch.length * width);
    batch.forEach((ids, b) => flat.set(ids, b * width));
    return this.gpu.upload(flat, [flat.length], "ids");
  }

  /** Uploads row numbers or token ids: u32 [n]. */
  uploadIndex(values: readonly number[], label: string): Tensor {
    return this.gpu.upload(Uint32Array.from(values), [values.length], label);
  }

  /** Empty keys and values for `batch` sequences of at most `keys` tokens, for layers `from` on. */
  makeCaches(batch: number, keys: number, from: number = 0): (KeyValues | undefined)[] {
    const { nLayers, nKvHeads, dHead } = this.config;
    const make = (label: string) => (): Tensor => this.gpu.zeros([batch, keys, nKvHeads, dHead], label);
    const cached = Array.from({ length: nLayers - from }, () => [make("cache.k"), make("cache.v")]).flat();
    const tensors = allOrNone(cached);
    return Array.from({ length: nLayers }, (_, layer) => {
      const at = 2 * (layer - from);
      return at < 0 ? undefined : { k: tensors[at]!, v: tensors[at + 1]! };
    });
  }

  /** Gives weights and tables back. */
  [Symbol.dispose](): void {
    this.patches[Symbol.dispose]();
    this.#rotary[Symbol.dispose]();
    this.weights[Symbol.dispose]();
  }

  /** Gives everything back; the same as leaving a `using` scope. */
  dispose(): void {
    this[Symbol.dispose]();
  }
}

function asBatch(tokens: readonly number[] | readonly (readonly number[])[]): readonly (readonly number[])[] {
  return typeof tokens[0] === "number" || tokens.length === 0
    ? [tokens as readonly number[]]
    : tokens as readonly (readonly number[])[];
}
