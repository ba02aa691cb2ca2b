import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { attribute } from "../../src/attribution/attribute.ts";
import { rankFfnNeurons } from "../../src/attribution/neuron_scores.ts";
import { projectNeurons } from "../../src/attribution/projection.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { headScores, layerScores } from "../../src/attribution/scores.ts";
import { LOGIT_TOLERANCE } from "../../src/evaluation/conformance/forward_checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { nextTokens } from "../../src/model/next_tokens.ts";

const gpu = await Gpu.open();
const model = await loadModel(gpu, "fixtures/world/world-qwen3");
const PROMPT = "The capital of the country where Noyon is located is";
const PARIS = model.tokenizer.encode(" Paris")[0]!;

Deno.test("attribute() gives layers, heads and certified neurons with the tokens they promote", async () => {
  const found = await attribute(model, { prompt: PROMPT, target: " Paris", top: 10, tokens: 3 });
  using prompt = await ScoredPrompt.open(model, model.tokens(PROMPT), PARIS);
  assertEquals(found.prompt, PROMPT);
  assertEquals(found.position, prompt.pos - 1);
  assertEquals(found.layers, layerScores(prompt));
  assertEquals(found.heads.flat(), [...await headScores(prompt)]);
  assertEquals([found.certified, found.neurons.length, found.attnNeurons.length], [true, 10, 10]);
  const { neurons, candidates } = await rankFfnNeurons(prompt, { top: 10 });
  assertEquals(found.candidates.ffn, candidates);
  const projected = await projectNeurons(prompt, neurons, { count: 3 });
  for (const [n, neuron] of found.neurons.entries()) {
    const { top, bottom } = projected[n]!;
    const { tokens, ...score } = neuron;
    assertEquals(score, neurons[n]);
    assertEquals(tokens, (neuron.coefficient < 0 ? bottom : top).map(({ text }) => text));
  }
  const [best] = await nextTokens(model, PROMPT, 1);
  assertEquals([found.target.id, found.target.text, found.target.tokens], [best!.id, " Paris", 1]);
  assertAlmostEquals(found.target.logProb, Math.log(best!.probability), LOGIT_TOLERANCE);
  assertEquals([found.notes, found.contrast], [[], undefined]);
});

Deno.test("attribute() scores the most likely token where no target is given", async () => {
  const found = await attribute(model, { prompt: model.tokens(PROMPT), top: 1 });
  assertEquals([found.target.id, found.prompt], [PARIS, PROMPT]);
});

Deno.test("attribute() puts a space in front of an answer without one and takes token ids", async () => {
  for (const target of ["Paris", " Paris", PARIS]) {
    assertEquals((await attribute(model, { prompt: PROMPT, target, top: 1 })).target.id, PARIS);
  }
});

Deno.test("attribute() scores the first of several tokens and says so", async () => {
  const [first, ...rest] = model.tokenizer.encode(" United Kingdom");
  assert(rest.length > 0);
  const { target, notes } = await attribute(model, { prompt: PROMPT, target: " United Kingdom", top: 1 });
  assertEquals([target.id, target.tokens, target.requested], [first, 1 + rest.length, " United Kingdom"]);
  const text = model.tokenizer.tokenText(first!);
  assertEquals(notes, [`The answer " United Kingdom" has 2 tokens; the first, "${text}", is scored`]);
});

Deno.test("attribute() contrasts with the first tokens of other answers, each once and without the target", async () => {
  const others = ["Berlin", " Berlin", "Paris", "Rome"];
  const { contrast } = await attribute(model, { prompt: PROMPT, target: "Paris", top: 5, alternatives: others });
  assertEquals(contrast!.alternatives.map(({ text }) => text), [" Berlin", " Rome"]);
  const scores = contrast!.neurons.map(({ score }) => score);
  assertEquals([scores, scores.length], [scores.toSorted((a, b) => b - a), 5]);
  // This model writes the capital of a country into the last position by its later MLPs.
  const best = contrast!.layers.ffn.indexOf(Math.max(...contrast!.layers.ffn));
  assertEquals(best, model.config.nLayers - 1);
  const none = await attribute(model, { prompt: PROMPT, target: "Paris", top: 1, alternatives: ["Paris"] });
  assertEquals([none.contrast, none.notes], [undefined, [
    "No alternative differs from the target in its first token",
  ]]);
});

Deno.test("attribute() at an earlier position is attribution of the prompt up to it", async () => {
  const ids = model.tokens(PROMPT);
  const whole = await attribute(model, { prompt: ids, target: PARIS, position: 4, top: 3 });
  const part = await attribute(model, { prompt: ids.slice(0, 5), target: PARIS, top: 3 });
  assertEquals({ ...whole, prompt: "" }, { ...part, prompt: "" });
});

Deno.test("attribute() refuses what it cannot score", async () => {
  const last = model.tokens(PROMPT).length - 1;
  await assertRejects(
    () => attribute(model, { prompt: PROMPT, position: last + 1 }),
    RangeError,
    `Cannot attribute at position ${last + 1}: the prompt has positions 0 to ${last}`,
  );
  await assertRejects(
    () => attribute(model, { prompt: PROMPT, target: "" }),
    TypeError,
    'Cannot attribute "": found no token, wanted an answer of at least one',
  );
  await assertRejects(() => attribute(model, { prompt: "" }), RangeError, "Cannot run the model on an empty prompt");
  await assertRejects(
    () => attribute(model, { prompt: PROMPT, target: -1 }),
    RangeError,
    "Cannot run the model on token -1",
  );
});

Deno.test("attribute() stops at its next step when asked to, and gives its memory back", async () => {
  const live = gpu.memory().live;
  const signal = AbortSignal.abort(new DOMException("stop", "AbortError"));
  await assertRejects(() => attribute(model, { prompt: PROMPT, target: " Paris", signal }), DOMException, "stop");
  assertEquals(gpu.memory().live, live);
});

Deno.test("attribute() leaves no memory behind", () => {
  model.dispose();
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
