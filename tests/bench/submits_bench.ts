/**
 * Submits of a forward pass and of a decoded token: each costs as much as tens of dispatches.
 *
 * @module
 */
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import type { Comparison } from "./comparison.ts";
import type { BenchContext } from "./context.ts";
import { randomTokens } from "./operands.ts";

/** Tokens of the forward pass. */
const TOKENS = 60;

/** Tokens that are decoded, the first of which ends the prompt's pass. */
const DECODED = 16;

async function forwardSubmits({ gpu, seed }: BenchContext, model: Model): Promise<Comparison> {
  const tokens = randomTokens(model, seed, TOKENS);
  const pass = async (): Promise<void> => {
    using cache = model.forward(tokens);
    await gpu.stream.read(cache.logits!);
  };
  await pass();
  const before = gpu.stats();
  await pass();
  const after = gpu.stats();
  return {
    bench: "submits",
    what: `submits of a forward pass, ${TOKENS} tokens`,
    ours: `${after.dispatches - before.dispatches} kernels, ${after.reads - before.reads} read-back`,
    against: "",
    value: after.submits - before.submits,
    unit: "",
    goal: { side: "at most", value: 1 },
  };
}

async function decodeSubmits({ gpu }: BenchContext, model: Model): Promise<Comparison> {
  const before = gpu.stats();
  await Array.fromAsync(model.generate("The capital of France is", { maxTokens: DECODED }));
  const after = gpu.stats();
  const tokens = after.reads - before.reads;
  return {
    bench: "submits",
    what: `submits of a decoded token, of ${tokens}`,
    ours: `${Math.round((after.dispatches - before.dispatches) / tokens)} kernels, 1 read-back`,
    against: "",
    value: (after.submits - before.submits) / tokens,
    unit: "",
    goal: { side: "at most", value: 1 },
  };
}

/** Counts submits; a decoded token has one read-back, also where a step ahead of the last token is not needed. */
export async function submitsBench(context: BenchContext): Promise<Comparison[]> {
  context.onStage("submits of a forward pass and of decoded tokens");
  using model = await loadModel(context.gpu, context.modelDir);
  return [await forwardSubmits(context, model), await decodeSubmits(context, model)];
}
