import { assert, assertEquals, assertGreater, assertNotEquals, assertRejects } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Pace } from "../../src/model/decoding_pace.ts";
import { endsSentence, generate, type GenerateOptions } from "../../src/model/generate.ts";
import { completeAll } from "../../src/model/complete_all.ts";
import { Decoder } from "../../src/model/decoder.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { lastLogits, loadSmall } from "./model_files.ts";

const gpu = await Gpu.open();
const WORLD = "fixtures/world/world-qwen3";
const PROMPT = "The capital of the country where Noyon is located is";

async function textOf(model: Model, prompt: string | number[], options: GenerateOptions): Promise<string> {
  return (await Array.fromAsync(model.generate(prompt, options))).join("");
}

/** A pace that is not measured. */
const always = (steps: number): Pace => ({ steps, arrived: () => {} });

/** Greedy continuation by whole forward passes, without a cache. */
async function slowly(model: Model, prompt: readonly number[], count: number): Promise<number[]> {
  const ids = [...prompt];
  for (let i = 0; i < count; i++) {
    const logits = await lastLogits(model, ids);
    ids.push(logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity)));
  }
  return ids.slice(prompt.length);
}

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`generate() with a cache writes what whole passes give, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const prompt = [45, 268, 1478, 12, 900];
    const ids = await slowly(model, prompt, 12);
    const end = ids.indexOf(model.tokenizer.eosId!);
    assertEquals(
      await textOf(model, prompt, { maxTokens: 12 }),
      model.tokenizer.decode(end < 0 ? ids : ids.slice(0, end)),
    );
  });
}

Deno.test("complete() ends with the answer and streams nothing else", async () => {
  using model = await loadModel(gpu, WORLD);
  assertEquals(await model.complete(PROMPT), " Paris");
  assertEquals(await model.complete("Q: What is the currency of Pakistan? A:"), " Pakistani Rupee");
});

Deno.test("completeAll() gives each prompt's own completion, in order", async () => {
  using model = await loadModel(gpu, WORLD);
  const subjects = ["France", "Germany", "Italy", "Spain", "Japan", "Poland", "Pakistan", "Canada", "Kenya"];
  const prompts = subjects.map((subject) => `The capital of ${subject} is`);
  const want: string[] = [];
  for (const prompt of prompts) want.push(await model.complete(prompt));
  assertEquals(await completeAll(model, prompts), want);
  assertEquals(await completeAll(model, []), []);
});

Deno.test("completeAll() ends when all have ended, if one cannot be completed", async () => {
  using model = await loadModel(gpu, WORLD);
  // Tables of positions grow with the longest text so far and stay with the model.
  await model.complete(PROMPT, { maxTokens: 40, stopAtSentence: false });
  const before = gpu.memory().live;
  await assertRejects(() => completeAll(model, ["The capital of France is", "", "Q:"]), RangeError, "an empty prompt");
  assertEquals(gpu.memory().live, before);
});

Deno.test("generate() repeats itself with the same seed, and not with another", async () => {
  using model = await loadSmall(gpu);
  const options = { maxTokens: 20, temperature: 1, topK: 20 };
  const first = await textOf(model, [45, 268], { ...options, seed: 1 });
  assertEquals(await textOf(model, [45, 268], { ...options, seed: 1 }), first);
  assertNotEquals(await textOf(model, [45, 268], { ...options, seed: 2 }), first);
});

Deno.test("generate() with one candidate is greedy", async () => {
  using model = await loadSmall(gpu);
  const greedy = await textOf(model, [45, 268], { maxTokens: 6 });
  assertEquals(await textOf(model, [45, 268], { maxTokens: 6, temperature: 5, topK: 1 }), greedy);
});

Deno.test("generate() begins a step before it has read the token that it takes, and none behind the last", async () => {
  using model = await loadSmall(gpu);
  const submits = gpu.stats().submits;
  const waiting: number[] = [];
  for await (const _ of model.generate([45, 268], { maxTokens: 5 })) waiting.push(gpu.stats().submits - submits);
  assertEquals([waiting[0], gpu.stats().submits - submits], [2, 5]);
});

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`generate() writes the same for any number of steps a read-back, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const nearEnd = Array.from({ length: 120 }, (_, i) => 1 + i);
    const cases: [number[], GenerateOptions][] = [
      ...[1, 2, 3, 17].map((maxTokens): [number[], GenerateOptions] => [[45, 268, 1478], { maxTokens }]),
      [[45, 268], { maxTokens: 40, stopAtSentence: true }],
      [nearEnd, { maxTokens: 500 }],
    ];
    for (const [prompt, options] of cases) {
      const want = await Array.fromAsync(generate(model, prompt, options, always(1)));
      for (const steps of [2, 3, 16]) {
        assertEquals(await Array.fromAsync(generate(model, prompt, options, always(steps))), want, `${steps} steps`);
      }
    }
  });
}

Deno.test("generate() shows nothing of steps past the end of an answer, and gives their memory back", async () => {
  using model = await loadModel(gpu, WORLD);
  const options = { maxTokens: 16, stopAtSentence: true };
  // Tables of positions grow with the longest text so far and stay with the model.
  await model.complete(PROMPT, { maxTokens: 40, stopAtSentence: false });
  const before = gpu.memory().live;
  for (const steps of [1, 2, 7, 16]) {
    assertEquals((await Array.fromAsync(generate(model, PROMPT, options, always(steps)))).join(""), " Paris");
    assertEquals(gpu.memory().live, before);
  }
});

Deno.test("generate() reads the tokens of a run of steps at once, with one submit a token", async () => {
  using model = await loadSmall(gpu);
  for (const [steps, reads] of [[1, 17], [4, 5], [5, 5], [16, 2]] as const) {
    const before = gpu.stats();
    await Array.fromAsync(generate(model, [45, 268], { maxTokens: 17 }, always(steps)));
    const after = gpu.stats();
    assertEquals([after.reads - before.reads, after.submits - before.submits], [reads, 17], `${steps} steps`);
  }
});

Deno.test("generate() stops inside a run of steps when aborted", async () => {
  using model = await loadSmall(gpu);
  const controller = new AbortController();
  const pieces: string[] = [];
  const stopped = async (): Promise<void> => {
    for await (const piece of generate(model, [45, 268], { maxTokens: 50, signal: controller.signal }, always(8))) {
      if (pieces.push(piece) === 3) controller.abort(new DOMException("Stopped", "AbortError"));
    }
  };
  await assertRejects(stopped, DOMException, "Stopped");
  assertEquals(pieces.length, 3);
});

Deno.test("Decoder goes on from any position after steps that went past it", async () => {
  using model = await loadSmall(gpu);
  const prompt = [45, 268, 1478];
  using decoder = new Decoder(model, 16);
  using run = decoder.run(prompt, 0, 10);
  const found = [...await run.found];
  assertEquals(found, await slowly(model, prompt, 10));
  const other = [77, 12];
  const [want] = await slowly(model, [...prompt, found[0]!, ...other], 1);
  const { ids } = await decoder.step(other, prompt.length + 1, 1);
  assertEquals([...ids], [want]);
});

Deno.test("generate() stops at the end of the context", async () => {
  using model = await loadSmall(gpu);
  const prompt = Array.from({ length: 120 }, (_, i) => 1 + i);
  const ids = await slowly(model, prompt, 8);
  const text = await textOf(model, prompt, { maxTokens: 500 });
  const most = model.tokenizer.decode(ids);
  assert(text.startsWith(most.slice(0, 5)), text);
  // 8 positions are left for tokens to be read back in, and one token more is predicted from the last of them.
  assertGreater(model.tokenizer.encode(most).length + 3, model.tokenizer.encode(text).length);
});

Deno.test("generate() stops before the next token when aborted, and gives its memory back when left", async () => {
  using model = await loadSmall(gpu);
  // Tables of positions grow with the longest text so far and stay with the model.
  for await (const _ of model.generate([45, 268], { maxTokens: 50 })) break;
  const before = gpu.memory().live;
  const controller = new AbortController();
  let pieces = 0;
  const stopped = async (): Promise<void> => {
    for await (const _ of model.generate([45, 268], { maxTokens: 50, signal: controller.signal })) {
      if (++pieces === 3) controller.abort(new DOMException("Stopped", "AbortError"));
    }
  };
  await assertRejects(stopped, DOMException, "Stopped");
  assertEquals(pieces, 3);
  for await (const _ of model.generate([45, 268], { maxTokens: 50 })) break;
  assertEquals(gpu.memory().live, before);
});

Deno.test("generate() refuses an empty prompt, odd sampling numbers and what is no number of tokens", async () => {
  using model = await loadSmall(gpu);
  await assertRejects(
    () => textOf(model, [], {}),
    RangeError,
    "Cannot run the model on an empty prompt: give at least one token of text",
  );
  await assertRejects(() => textOf(model, [1], { temperature: -1 }), RangeError, "Cannot sample with temperature -1");
  for (const maxTokens of [-1, 1.5, NaN]) {
    await assertRejects(
      () => textOf(model, [1], { maxTokens }),
      RangeError,
      `Cannot generate ${maxTokens} tokens: wanted an integer from 0 up, or Infinity for all that fit`,
    );
  }
});

Deno.test("endsSentence() tells the end of a sentence from a full stop inside it", () => {
  const cases: [string, string, boolean][] = [
    ["It is Paris", " The", true],
    ["It is Paris", "\n", true],
    ["It is Paris", "The", true],
    ["U.S", "A", false],
    ["U", "S", false],
    ["3", "5", false],
    ["example", "com", false],
  ];
  assertEquals(cases.map(([before, after]) => endsSentence(before, after)), cases.map(([, , ends]) => ends));
});

Deno.test("generate() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
