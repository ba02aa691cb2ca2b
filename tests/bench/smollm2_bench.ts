/**
 * Decoding, prompts, attribution and search on a real model: SmolLM2-135M-Instruct.
 *
 * @module
 */
import { widen } from "../../kernels/widen.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import { Decoder } from "../../src/model/decoder.ts";
import { linear } from "../../src/model/linear.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { nextTokens } from "../../src/model/next_tokens.ts";
import type { Comparison } from "./comparison.ts";
import { awaited, type BenchContext, recorded } from "./context.ts";
import { checkRanking, fusedScores, rankByLayers, rankCertified, rankScores, TOP } from "./neurons_bench.ts";
import { randomTokens } from "./operands.ts";
import { race, type Timing } from "./race.ts";
import { compareSearch } from "./search_bench.ts";
import { SMOLLM2_FOLDER } from "./smollm2_file.ts";

/** Tokens of the prompt that is timed, and tokens before the one that is decoded. */
const PROMPT_TOKENS = 128;
const DECODE_POSITION = 64;

/** Factor over its products alone that a pass may take. */
const PASS_GOAL = 1.5;

/** Logits of the prompt that are compared with those of decoding. */
const COMPARED_LOGITS = 20;

/** A fact that the model knows. */
const FACT = "The capital of France is";

/** Layers of the published algorithm that are timed: it takes minutes for all. */
const SAMPLED_LAYERS = [4, 24];

const inMs = ({ bestMs }: Timing): string => `${bestMs.toPrecision(3)} ms`;

/** The products of a forward pass and nothing else, each with its own weight. */
class PassProducts implements Disposable {
  readonly #model: Model;
  readonly #owned = new DisposableStack();
  readonly #steps: { name: string; x: Tensor; out: Tensor }[] = [];

  /** @param rows Rows of every product but the last, which makes the logits of one. */
  constructor(model: Model, rows: number) {
    const { gpu, config: { nLayers, dModel } } = model;
    this.#model = model;
    const made = new Map<string, Tensor>();
    const tensor = (rows: number, width: number, label: string): Tensor => {
      const key = `${label} ${rows} x ${width}`;
      if (!made.has(key)) {
        const values = new Float32Array(rows * width).fill(1 / dModel);
        made.set(key, this.#owned.use(gpu.upload(values, [rows, width], `bench ${label}`)));
      }
      return made.get(key)!;
    };
    const names = ["attn.W_Q", "attn.W_K", "attn.W_V", "attn.W_O", "mlp.W_gate", "mlp.W_in", "mlp.W_out"];
    const layers = Array.from({ length: nLayers }, (_, layer) => names.map((name) => `blocks.${layer}.${name}`));
    for (const name of layers.flat()) this.#add(name, rows, tensor);
    this.#add("unembed.W_U", 1, tensor);
  }

  #add(name: string, rows: number, tensor: (rows: number, width: number, label: string) => Tensor): void {
    const { weights } = this.#model;
    const { shape } = weights.get(name);
    const [cols, inner] = weights.layout(name) === "out_in" ? shape : shape.toReversed();
    this.#steps.push({ name, x: tensor(rows, inner!, "input"), out: tensor(rows, cols!, "output") });
  }

  /** Records all products. */
  record(): void {
    const { gpu: { stream }, weights } = this.#model;
    for (const { name, x, out } of this.#steps) linear(stream, weights, name, x, { out });
  }

  /**
   * Compares each output, of the last product that wrote it, with float64 sums over its weight.
   *
   * @throws {Error} If one is off by more than the rounding of an inner product.
   */
  async check(): Promise<void> {
    const { gpu: { stream }, weights, config: { dModel } } = this.#model;
    for (const { name, out } of new Map(this.#steps.map((step) => [step.out, step])).values()) {
      const weight = weights.get(name);
      using wide = widen(stream, { weight });
      const [found, values] = await stream.read(out, wide);
      const [rows, cols] = weight.shape as [number, number];
      const outIn = weights.layout(name) === "out_in";
      const [outputs, inner] = outIn ? [rows, cols] : [cols, rows];
      for (const [i, got] of found!.entries()) {
        let sum = 0;
        let size = 0;
        for (let k = 0; k < inner; k++) {
          const value = values![outIn ? (i % outputs) * cols + k : k * cols + i % outputs]!;
          sum += value;
          size += Math.abs(value);
        }
        if (!(Math.abs(got - sum / dModel) <= 2 * (inner + 3) * 2 ** -24 * size / dModel)) {
          throw new Error(`Product ${name} gives ${got} at ${i}, wanted ${sum / dModel}`);
        }
      }
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** How the weights of the layers are stored. */
const stored = (model: Model): string => model.weights.get("blocks.0.mlp.W_in").dtype;

/** Decodes at one position as generation does: a step begins before the token that it takes has been read. */
async function decodeAhead(decoder: Decoder, token: readonly number[], calls: number): Promise<void> {
  let run = decoder.run(token, DECODE_POSITION, 1);
  for (let call = 1; call < calls; call++) {
    const next = decoder.run(run, DECODE_POSITION, 1);
    await run.found;
    run[Symbol.dispose]();
    run = next;
  }
  await run.found;
  run[Symbol.dispose]();
}

async function decode(context: BenchContext, model: Model): Promise<Comparison> {
  const { gpu, seed, rounds } = context;
  context.onStage("SmolLM2: decoding against its matvecs");
  const ids = randomTokens(model, seed, DECODE_POSITION + 1);
  using decoder = new Decoder(model, DECODE_POSITION + 1);
  await decoder.step(ids.slice(0, -1), 0, 1);
  const token = ids.slice(-1);
  const { ids: [found] } = await decoder.step(token, DECODE_POSITION, 1);
  const [wanted] = await nextTokens(model, ids, 1);
  if (found !== wanted!.id) throw new Error(`Decoding found token ${found}, wanted ${wanted!.id}`);
  using products = new PassProducts(model, 1);
  const [mine, bound] = await race([
    { name: "decode", run: (calls) => decodeAhead(decoder, token, calls) },
    recorded(gpu, "matvecs", () => products.record()),
  ], { rounds, roundMs: 1000 }) as [Timing, Timing];
  return {
    bench: "smollm2",
    what: `SmolLM2, ${stored(model)}: a decoded token at position ${DECODE_POSITION}, read back while the next runs`,
    ours: `${inMs(mine)}, ${(1000 / mine.bestMs).toPrecision(3)} tokens/s`,
    against: `its matvecs alone: ${inMs(bound)}`,
    value: mine.bestMs / bound.bestMs,
    unit: "x",
    goal: { side: "at most", value: PASS_GOAL },
  };
}

/**
 * Checks the logits of a whole prompt against those of a decoder that takes its second half token by token.
 *
 * @throws {Error} If they differ by more than f32 products in another order do.
 */
async function checkPrompt(model: Model, ids: readonly number[]): Promise<void> {
  using cache = model.forward(ids);
  const [logits] = await model.gpu.stream.read(cache.logits!);
  using decoder = new Decoder(model, ids.length);
  const half = ids.length >> 1;
  let found = await decoder.step(ids.slice(0, half), 0, COMPARED_LOGITS);
  for (let at = half; at < ids.length; at++) found = await decoder.step([ids[at]!], at, COMPARED_LOGITS);
  found.ids.forEach((id, i) => {
    const [got, want] = [logits![id]!, found.logits[i]!];
    if (!(Math.abs(got - want) <= 1e-3 * Math.abs(found.logits[0]!))) {
      throw new Error(`The prompt gives token ${id} a logit of ${got}, decoding ${want}`);
    }
  });
}

async function prompt(context: BenchContext, model: Model): Promise<Comparison> {
  const { gpu, seed, rounds } = context;
  context.onStage(`SmolLM2: a prompt of ${PROMPT_TOKENS} tokens against its products`);
  const ids = randomTokens(model, seed, PROMPT_TOKENS);
  using products = new PassProducts(model, PROMPT_TOKENS);
  const pass = async (): Promise<void> => {
    using cache = model.forward(ids);
    await gpu.stream.read(cache.logits!);
  };
  await checkPrompt(model, ids);
  products.record();
  await products.check();
  const [mine, bound] = await race([
    awaited("prompt", pass),
    recorded(gpu, "products", () => products.record()),
  ], { rounds }) as [Timing, Timing];
  return {
    bench: "smollm2",
    what: `SmolLM2, ${stored(model)}: a prompt of ${PROMPT_TOKENS} tokens, logits of the last read back`,
    ours: inMs(mine),
    against: `its products alone: ${inMs(bound)}`,
    value: mine.bestMs / bound.bestMs,
    unit: "x",
    goal: { side: "at most", value: PASS_GOAL },
  };
}

async function neurons(context: BenchContext, model: Model): Promise<Comparison[]> {
  const { gpu, rounds } = context;
  const { nLayers, dMlp } = model.config;
  context.onStage("SmolLM2: certified neurons");
  const ids = model.tokens(FACT);
  const target = (await nextTokens(model, ids, 1))[0]!.id;
  const certified = await rankCertified(model, ids, target);
  const scores = await fusedScores(model, ids, target);
  checkRanking(certified.neurons, rankScores(scores, dMlp));
  context.onStage(`SmolLM2: the published ranking of ${SAMPLED_LAYERS.length} of ${nLayers} layers`);
  const publishedOf = (layers: readonly number[]) => rankByLayers(model, ids, target, { readEach: true, layers });
  checkRanking(await publishedOf(SAMPLED_LAYERS), rankScores(scores, dMlp, SAMPLED_LAYERS));
  const [ours, pass, fixed, sample] = await race([
    awaited("certified", () => rankCertified(model, ids, target)),
    awaited("forward", async () => {
      using cache = model.forward(ids);
      await gpu.stream.read(cache.logits!);
    }),
    awaited("published, no layer", () => publishedOf([])),
    awaited("published, sampled layers", () => publishedOf(SAMPLED_LAYERS)),
  ], { rounds }) as [Timing, Timing, Timing, Timing];
  // What does not depend on the layers, the forward pass and the base scores, is counted once.
  const layerMs = (sample.bestMs - fixed.bestMs) / SAMPLED_LAYERS.length;
  const published = fixed.bestMs + nLayers * layerMs;
  const common = {
    bench: "smollm2",
    what: `SmolLM2: certified top ${TOP} of ${certified.candidates} MLP neurons, forward pass included`,
    ours: `${inMs(ours)}, ${certified.evaluated} neurons scored`,
    unit: "x",
  } as const;
  return [
    {
      ...common,
      against: `published algorithm batched by layer: ${(published / 1000).toPrecision(3)} s, ${nLayers} times the ` +
        `${layerMs.toPrecision(3)} ms a layer that layers ${SAMPLED_LAYERS.join(" and ")} take, and ${
          inMs(fixed)
        } once`,
      value: published / ours.bestMs,
      goal: { side: "at least", value: 50 },
    },
    {
      ...common,
      against: `a forward pass of the same ${ids.length} tokens: ${inMs(pass)}`,
      value: ours.bestMs / pass.bestMs,
      goal: { side: "at most", value: 6 },
    },
  ];
}

/** Measures a real model; left out where there is no file of it. */
export async function smollm2Bench(context: BenchContext): Promise<Comparison[]> {
  if (context.smollm2 === null) {
    context.onSkip(`smollm2: there is no .gguf in ${SMOLLM2_FOLDER}. Give the file with --smollm2`);
    return [];
  }
  context.onStage(`SmolLM2 from ${context.smollm2}`);
  using model = await loadModel(context.gpu, context.smollm2);
  return [
    await decode(context, model),
    await prompt(context, model),
    ...await neurons(context, model),
    await compareSearch(context, model, { bench: "smollm2", layer: 20, position: 59, goal: 1 / 4 }),
  ];
}
