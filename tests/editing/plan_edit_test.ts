import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { edit } from "../../src/editing/edit_model.ts";
import { loadFacts } from "../../src/editing/facts.ts";
import { planEdit, planMethod, planRequests } from "../../src/editing/plan_edit.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { WORLD_PATH } from "./world_answerer.ts";

const gpu = await Gpu.open();
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Rome" };

Deno.test("planMethod() plans the stages of one method, the same as planEdit() plans for all", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const facts = await loadFacts(WORLD_PATH);
  const profile = {
    layer: 7,
    arrival: 5,
    error: new Array<number>(model.config.nLayers).fill(0.25),
    leak: [],
    facts: 8,
  };
  const options = { facts, profile };
  const { plan } = await planEdit(model, REQUEST, options);
  const { chain, value, query, subjectLast, reasons } = plan;
  assertEquals(plan.profile, profile);
  assertEquals(await planMethod(model, REQUEST, options), { chain, reasons: reasons.slice(0, 1) });
  assertEquals(await planMethod(model, REQUEST, { ...options, mode: "paper" }), {
    value,
    query,
    reasons: reasons.slice(1, -1),
  });
  assertEquals(await planMethod(model, REQUEST, { ...options, method: "memit" }), {
    subjectLast,
    reasons: reasons.slice(-1),
  });
});

Deno.test("planMethod() takes chain mode's layer by contrast where no fact could be tried", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const facts = await loadFacts(WORLD_PATH);
  const profile = { layer: -1, arrival: 0, error: [], leak: [], facts: 0 };
  const { plan } = await planEdit(model, REQUEST, { facts, profile });
  const { contrast } = plan.scores;
  const largest = contrast.ffn.indexOf(Math.max(...contrast.ffn));
  assertEquals((await planMethod(model, REQUEST, { facts, profile })).chain, { layers: [largest], token: "last" });
});

Deno.test("edit() refuses a plan that was made for another method, and names the stage that is missing", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const plan = { chain: { layers: [7], token: "last" as const }, reasons: [] };
  const options = { method: "memit" as const, plan, corpus: "fixtures/world/corpus.txt" };
  await assertRejects(
    () => edit(model, [REQUEST], options),
    TypeError,
    'Cannot edit by this plan: found no stage "subjectLast", which this method needs. ' +
      "Plan for every method with planEdit()",
  );
});

Deno.test("planning stops at its next step when asked to, for every method", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const facts = await loadFacts(WORLD_PATH);
  const signal = AbortSignal.abort(new DOMException("stop", "AbortError"));
  for (const options of [{}, { mode: "paper" as const }, { method: "pmet" as const }]) {
    const before = gpu.stats().dispatches;
    await assertRejects(() => planMethod(model, REQUEST, { ...options, facts, signal }), DOMException, "stop");
    assertEquals(gpu.stats().dispatches, before);
  }
});

/** A signal that is aborted when it is looked at for the `last`th time, and how often it was. */
function abortedAtLook(last: number): { signal: AbortSignal; looks: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let looks = 0;
  signal.throwIfAborted = () => {
    if (++looks >= last) controller.abort(new DOMException("stop", "AbortError"));
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
  return { signal, looks: () => looks };
}

Deno.test("planning can be stopped between any two of its steps, and gives its memory back", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const facts = await loadFacts(WORLD_PATH);
  const whole = abortedAtLook(Infinity);
  await planEdit(model, REQUEST, { facts, signal: whole.signal });
  // Two prompts are scored, eight facts tried and several layers probed, none of them in one step.
  assertGreater(whole.looks(), 2 * 3 + 8 * 2 + 2);
  const live = gpu.memory().live;
  for (const last of [2, Math.floor(whole.looks() / 2)]) {
    const { signal, looks } = abortedAtLook(last);
    await assertRejects(() => planEdit(model, REQUEST, { facts, signal }), DOMException, "stop");
    assertEquals([looks(), gpu.memory().live], [last, live]);
  }
});

Deno.test("a plan of several requests says which of them it was made for", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const facts = await loadFacts(WORLD_PATH);
  const profile = { layer: 7, arrival: 5, error: new Array<number>(8).fill(0.25), leak: [], facts: 8 };
  const { reasons } = await planRequests(model, [REQUEST, { ...REQUEST, subject: "India" }], { facts, profile });
  assertEquals(reasons.slice(1), ['Planned for "The capital of France is", the first of 2 requests']);
});

Deno.test("planMethod() contrasts with the likeliest other token where old and new answer begin alike", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const [present] = model.tokenizer.encode(" Paris", { continues: true });
  const [wanted, ...more] = model.tokenizer.encode(" Parisian", { continues: true });
  assertEquals([wanted, more.length], [present, 1]);
  const request = { ...REQUEST, target: "Parisian" };
  const { alternatives, oldAnswer, plan } = await planEdit(model, request, {});
  assertEquals([oldAnswer.trim(), alternatives], ["Paris", 1]);
  assertEquals(plan.scores.contrast.ffn.every(Number.isFinite), true);
});

Deno.test("after all, no buffer is alive", () => {
  assertEquals(gpu.memory().live, 0);
});
