/**
 * Submits of a forward pass and of a decoded token: each costs as much as tens of dispatches.
 *
 * @module
 */
import { Decoder } from "../../src/model/decoder.ts";
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
  const ids = model.tokens("The capital of France is");
  using decoder = new Decoder(model, ids.length + DECODED);
  const before = gpu.stats();
  using run = decoder.run(ids, 0, DECODED);
  await run.found;
  const after = gpu.stats();
  return {
    bench: "submits",
    what: `submits of a decoded token, of ${DECODED}`,
    ours: `${Math.round((after.dispatches - before.dispatches) / DECODED)} kernels, ${
      after.reads - before.reads
    } read-back for all`,
    against: "",
    value: (after.submits - before.submits) / DECODED,
    unit: "",
    goal: { side: "at most", value: 1 },
  };
}

/** Counts submits. */
export async function submitsBench(context: BenchContext): Promise<Comparison[]> {
  context.onStage("submits of a forward pass and of decoded tokens");
  using model = await loadModel(context.gpu, context.modelDir);
  return [await forwardSubmits(context, model), await decodeSubmits(context, model)];
}
