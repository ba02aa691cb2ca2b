import { assert, assertEquals, assertGreater, assertNotEquals, assertRejects } from "@std/assert";
import { loadFacts } from "../../../src/editing/facts.ts";
import { writeProfile } from "../../../src/editing/write_profile.ts";
import { askPrompts } from "../../../src/evaluation/demo/answers.ts";
import { demoSetup } from "../../../src/evaluation/demo/setup.ts";
import { tellStory } from "../../../src/evaluation/demo/story.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import { loadModel } from "../../../src/model/load_model.ts";
import type { SupportRecord } from "../../../src/editing/support.ts";

const request = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };
const setup = demoSetup(await loadFacts("fixtures/world/world.json"), request, "Noyon", 0);
const gpu = await Gpu.open();
const model = await loadModel(gpu, "fixtures/world/world-qwen3");

Deno.test("askPrompts() gives both probabilities, and the model's own words where it gives neither answer", async () => {
  const prompt = setup.oneHop;
  const asked = (old: string, fresh: string): Parameters<typeof askPrompts>[1][number] => ({
    group: "Edited fact",
    wanted: "new",
    prompt,
    old,
    new: fresh,
  });
  const [known, unknown] = await askPrompts(model, [asked("Paris", "Berlin"), asked("Rome", "Berlin")]);
  assertEquals([known!.answer, unknown!.answer], ["Paris", "Paris"]);
  assertGreater(known!.old, 0.9);
  assert(known!.old + known!.new <= 1 && known!.new === unknown!.new && unknown!.old < 0.1);
});

Deno.test("tellStory() changes the held-out chains, keeps neighbours, and leaves the model unedited", async () => {
  const chapters: string[] = [];
  const story = await tellStory(model, setup, {
    onAnswers: () => chapters.push("answers"),
    onRecall: () => chapters.push("recall"),
    onPlan: () => chapters.push("plan"),
    onEdit: () => chapters.push("edit"),
    onEnd: () => chapters.push("end"),
  }, { top: 5 });
  assertEquals(chapters, ["answers", "recall", "recall", "plan", "edit", "end"]);
  const answers = (wanted: "old" | "new"): boolean[] =>
    story.asked.filter((prompt) => prompt.wanted === wanted).map(({ after, ...prompt }) =>
      after.answer === prompt[wanted]
    );
  const share = (right: boolean[]): number => right.filter(Boolean).length / right.length;
  assertEquals(story.asked.filter(({ before, old }) => before.answer === old).length, story.asked.length);
  assertGreater(share(answers("new")), 0.95);
  assertGreater(share(answers("old")), 0.9);
  assertEquals(model.patches.count, 0);

  const [support] = story.record.support as { used: SupportRecord }[];
  const { heads, siblings, siblingHeads } = support!.used;
  const used = [...heads, ...siblingHeads].map(({ subject }) => subject).concat(siblings);
  assertEquals(used.filter((name) => setup.exclude.includes(name)), []);
  const { facts, exclude, seed } = setup;
  assertEquals(story.planned.plan.profile, await writeProfile(model, facts, { exclude, seed }));
  assertNotEquals(story.planned.plan.profile, await writeProfile(model, facts, { seed }));
  assertEquals(story.recalls.map(({ attribution }) => attribution.neurons.length), [5, 5]);
});

Deno.test("tellStory() stops when asked to and leaves the model unedited", async () => {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new Error("stop here"));
  await assertRejects(
    () => tellStory(model, setup, { onPlan: stop }, { signal: controller.signal, top: 1 }),
    Error,
    "stop here",
  );
  assertEquals(model.patches.count, 0);
});

Deno.test("the demo leaves no GPU memory behind", () => {
  model.dispose();
  assertEquals(gpu.memory().live, 0);
  gpu[Symbol.dispose]();
});
