import { assert, assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { ColumnName } from "../../src/evaluation/columns.ts";
import {
  DEMO_CONFIGURATIONS,
  DEMO_ROW_SCHEMA,
  type DemoKey,
  demoKey,
  type DemoRow,
} from "../../src/evaluation/demo_row.ts";
import { type DemoRunOptions, runDemo } from "../../src/evaluation/demo_runner.ts";
import { summarizeDemo } from "../../src/evaluation/demo_summary.ts";
import { loadDemoWorld } from "../../src/evaluation/demo_world.ts";
import { ResultsFile } from "../../src/evaluation/results_file.ts";
import { resumeDemo } from "../../src/evaluation/resume_demo.ts";
import { SharedMoments } from "../../src/evaluation/shared_moments.ts";
import { Facts } from "../../src/editing/facts.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";

/** One case of each relation but the smallest: capital, company's country and city, language, currency, continent. */
const CASES = [62, 63, 64, 66, 78, 80];

const CHAIN = DEMO_CONFIGURATIONS.filter(({ mode }) => mode === "chain");

const world = await loadDemoWorld("fixtures/world");
const gpu = await Gpu.open();
const qwen3 = await loadModel(gpu, "fixtures/world/world-qwen3");
const moments = new SharedMoments(qwen3, { documents: world.documents });

async function rowsOf(options: DemoRunOptions): Promise<DemoRow[]> {
  return await Array.fromAsync(runDemo(qwen3, world, { configurations: CHAIN, moments, ...options }));
}

/** What chain mode must reach over all cases, and how many prompts or chains of the six cases count at least. */
const GOALS: Partial<Record<ColumnName, { goal: number; least: number }>> = {
  edit: { goal: 0.98, least: 6 },
  twoHopAny: { goal: 0.98, least: 24 },
  twoHopMean: { goal: 0.95, least: 24 },
  neighbours: { goal: 0.93, least: 36 },
  twoHopNeighbours: { goal: 0.94, least: 36 },
  sameSubject: { goal: 0.98, least: 12 },
};

/** CI's effect test: what the suite demands of all cases, less what one prompt or chain of the six weighs. */
function checkEffect(rows: readonly DemoRow[]): void {
  assertEquals(rows.map(({ caseId, failure }) => [caseId, failure]), CASES.map((id) => [id, null]));
  const { columns, counts } = summarizeDemo(rows)[0]!;
  const numbers = Object.entries(columns).map(([name, { mean, count }]) => `${name} ${mean.toFixed(3)} of ${count}`);
  for (const [name, { goal, least }] of Object.entries(GOALS)) {
    const { mean, count } = columns[name as ColumnName];
    assert(
      count >= least && mean >= goal - 1 / count,
      `${name} misses ${goal} by more than one: ${numbers.join(", ")}`,
    );
  }
  assertEquals([counts!.chains, counts!.cases], [24, 6]);
}

Deno.test("runDemo() in chain mode makes chains follow and neighbours stay on six cases of world-qwen3", async () => {
  const rows = await rowsOf({ caseIds: CASES });
  checkEffect(rows);
  assertEquals(qwen3.patches.count, 0);
  for (const row of rows) assertEquals(DEMO_ROW_SCHEMA.parse(JSON.parse(JSON.stringify(row))), row);
});

Deno.test("runDemo() in chain mode makes chains follow and neighbours stay on six cases of world-gptj", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-gptj");
  checkEffect(await Array.fromAsync(runDemo(model, world, { configurations: CHAIN, caseIds: CASES })));
});

Deno.test("runDemo() gives the same row again, another one for another seed, and none that is done", async () => {
  const [first] = await rowsOf({ caseIds: [80] });
  const [again, other] = await rowsOf({ caseIds: [80], seeds: [0, 1] });
  assertEquals(again, first);
  assert(demoKey(other!) !== demoKey(first!));
  assertEquals(other!.seed, 1);
  let announced = NaN;
  const rows = await rowsOf({
    caseIds: [80],
    isDone: (key) => demoKey(key) === demoKey(first!),
    onStart: (count) => announced = count,
  });
  assertEquals([rows, announced], [[], 0]);
});

Deno.test("runDemo() runs chain mode on seeds of its own, and knows rows of other facts from these", async () => {
  const asked = async (options: DemoRunOptions, from = world): Promise<DemoKey[]> => {
    const keys: DemoKey[] = [];
    const isDone = (key: DemoKey): boolean => keys.push(key) > 0;
    await Array.fromAsync(runDemo(qwen3, from, { caseIds: [80], ...options, isDone }));
    return keys;
  };
  const keys = await asked({ chainSeeds: [0, 1, 2] });
  assertEquals(keys.map(({ seed, configuration }) => `${configuration} ${seed}`), [
    "PMET 0",
    "MEMIT 0",
    "ACE paper 0",
    "ACE chain 0",
    "ACE chain 1",
    "ACE chain 2",
  ]);
  const { relations, facts } = JSON.parse(await Deno.readTextFile("fixtures/world/world.json"));
  const fewer = { relations, facts: { ...facts, athlete_sport: facts.athlete_sport.slice(1) } };
  const [first] = await asked({}, { ...world, facts: Facts.parse(fewer, "world.json") });
  assertNotEquals(first!.settings, keys[0]!.settings);
  assertEquals((await asked({}))[0]!.settings, keys[0]!.settings);
});

Deno.test("runDemo() writes down an edit that fails, with the answers of the unedited model, and goes on", async () => {
  const broken = new SharedMoments(qwen3, { documents: world.documents });
  broken.ensure = () => Promise.resolve();
  const rows = await rowsOf({ caseIds: [62, 80], moments: broken });
  assertEquals(rows.map(({ caseId }) => caseId), [62, 80]);
  for (const { failure, before, after, lastNll } of rows) {
    assertStringIncludes(failure!, "Cannot give second moments of layer");
    assertEquals([after, lastNll], [before, []]);
    assertEquals([before.edit, before.twoHopCloze.length], [[[false]], 4]);
  }
  assertEquals(qwen3.patches.count, 0);
});

Deno.test("runDemo() refuses a case that is none of the suite, and stops when asked to", async () => {
  await assertRejects(() => rowsOf({ caseIds: [1] }), TypeError, "Cannot run case 1: it is no two-hop case");
  const reason = new Error("stop here");
  await assertRejects(() => rowsOf({ caseIds: [62], signal: AbortSignal.abort(reason) }), Error, "stop here");
});

Deno.test("resumeDemo() keeps every row as it comes and makes none twice", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/demo.jsonl`;
    const options = { configurations: CHAIN, moments, caseIds: [80] };
    const seen: number[] = [];
    const run = async (caseIds: number[]): Promise<DemoRow[]> => {
      using results = await ResultsFile.open(path, DEMO_ROW_SCHEMA);
      return await resumeDemo(qwen3, world, results, { ...options, caseIds }, ({ caseId }) => seen.push(caseId));
    };
    const first = await run([80]);
    const all = await run([62, 80]);
    assertEquals([seen, all.map(({ caseId }) => caseId)], [[80, 62], [80, 62]]);
    assertEquals(all[0], first[0]);
    assertEquals((await Deno.readTextFile(path)).split("\n").length, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("SharedMoments computes a layer once, as SecondMoments does, and refuses one that was not asked for", async () => {
  const documents = world.documents.slice(0, 5);
  let runs = 0;
  const shared = new SharedMoments(qwen3, { documents, onProgress: () => runs++ });
  await shared.ensure([2]);
  await shared.ensure([2, 3]);
  await shared.ensure([3]);
  assertEquals(runs, 2);
  const direct = await SecondMoments.compute(qwen3, { documents, layers: [3] });
  assertEquals(await shared.get(3), await direct.get(3));
  await assertRejects(() => shared.get(4), RangeError, "found layers 2, 3, call ensure([4]) first");
});

Deno.test("the demo suite leaves no GPU memory behind", () => {
  qwen3.dispose();
  assertEquals(gpu.memory().live, 0);
  gpu[Symbol.dispose]();
});
