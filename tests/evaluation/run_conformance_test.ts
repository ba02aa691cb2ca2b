import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { findGoldens, findTokenizer, isGolden, unsupportedModel } from "../../src/evaluation/conformance/discover.ts";
import {
  describeOutcome,
  type Outcome,
  runConformance,
  tally,
  worstCheck,
} from "../../src/evaluation/conformance/run_conformance.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withFolder } from "../checkpoint/files.ts";

const GOLDENS = "fixtures/goldens";
const gpu = await Gpu.open();

/** Writes empty files; those that end in .json get the given text. */
async function write(root: string, files: Record<string, unknown>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, typeof content === "string" ? content : JSON.stringify(content));
  }
}

/** Runs the command; returns its exit code, the last line of its output, and what it said to stderr. */
async function command(...args: string[]): Promise<{ code: number; last: string; output: string; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "scripts/conformance.ts", ...args],
  }).output();
  const output = new TextDecoder().decode(stdout).trimEnd();
  return { code, output, last: output.split("\n").at(-1)!, error: new TextDecoder().decode(stderr) };
}

Deno.test("findGoldens() tells cases by what their JSON says, whatever their folders are called", async () => {
  await withFolder(async (root) => {
    const editing = { method: "memit" };
    const attribution = { prompts: [] };
    await write(root, {
      "one/config.json": {},
      "one/b/case.json": editing,
      "one/b/tensors.safetensors": "",
      "one/a/case.json": editing,
      "one/a/tensors.safetensors": "",
      "deep/er/two/config.json": {},
      "deep/er/two/case.json": attribution,
      "deep/er/two/tensors.safetensors": "",
    });
    const found = await findGoldens(root);
    assert(found.every(isGolden));
    assertEquals(found.map(({ name, kind }) => [name, kind]), [
      ["deep/er/two", "attribution"],
      ["one/a", "editing"],
      ["one/b", "editing"],
    ]);
    assertEquals(found.map(({ modelDir }) => modelDir.slice(root.length)), ["/deep/er/two", "/one", "/one"]);
    assertEquals((await findGoldens(`${root}/one/a`)).map(({ name }) => name), ["a"]);
  });
});

Deno.test("runConformance() loses no case.json: a missing file is a failure that names it, another kind is skipped", async () => {
  await withFolder(async (root) => {
    await write(root, {
      "alone/case.json": { method: "memit" },
      "alone/tensors.safetensors": "",
      "bare/case.json": { prompts: [] },
      "bare/tensors.safetensors": "",
      "broken/case.json": "{",
      "one/config.json": {},
      "one/a/case.json": { method: "memit" },
      "one/b/case.json": { files: [] },
      "two/config.json": {},
      "two/case.json": { prompts: [] },
    });
    await Deno.symlink("nowhere.safetensors", `${root}/one/a/tensors.safetensors`);
    const outcomes = await runConformance(gpu, root);
    const missing = (path: string, place: string): string =>
      `failed: Cannot check the case: found no ROOT/${path}, wanted case.json and tensors.safetensors with the model ` +
      `${place}. Fetch or make the missing file`;
    assertEquals(outcomes.map((outcome) => describeOutcome(outcome).replaceAll(root, "ROOT")), [
      `alone: ${missing("config.json", "in the folder above")}`,
      `bare: ${missing("bare/config.json", "beside them")}`,
      "broken: failed: Cannot read ROOT/broken/case.json: found text that is no JSON (Expected property name or '}' in " +
      "JSON at position 1 (line 1 column 2)); fetch or write it again",
      `one/a: ${missing("one/a/tensors.safetensors", "in the folder above")}`,
      "one/b: skipped: its case.json has neither method nor prompts, and no GGUF file lies beside it",
      `two: ${missing("two/tensors.safetensors", "beside them")}`,
    ]);
    assertEquals(tally(outcomes), { passed: 0, failed: 5, skipped: 1 });
  });
});

Deno.test("runConformance() fails an attribution case with one of its two contrast files", async () => {
  for (const kept of ["contrast.json", "contrast.safetensors"]) {
    await withFolder(async (root) => {
      const source = await Deno.realPath(`${GOLDENS}/attribution/gptj`);
      const files = ["case.json", "config.json", "model.safetensors", "tensors.safetensors", kept];
      for (const name of files) await Deno.symlink(`${source}/${name}`, `${root}/${name}`);
      await Deno.symlink(`${source}/../tokenizer.json`, `${root}/tokenizer.json`);
      const [outcome] = await runConformance(gpu, root);
      assertEquals(outcome!.status, "failed");
      const missing = kept === "contrast.json" ? "contrast.safetensors" : "contrast.json";
      assertStringIncludes(outcome!.reason!, `Cannot read ${root}/${missing}: there is no such file`);
    });
  }
});

Deno.test("findGoldens() follows links to folders, and finds a case once for each model that it lies below", async () => {
  await withFolder(async (folder) => {
    const root = await Deno.realPath(folder);
    await write(root, {
      "model/config.json": {},
      "model/a/case.json": { method: "memit" },
      "model/a/tensors.safetensors": "",
      "model/b/case.json": { method: "memit" },
      "model/b/tensors.safetensors": "",
      "whole/config.json": {},
      "whole/case.json": { prompts: [] },
      "whole/tensors.safetensors": "",
      "picked/own/config.json": {},
    });
    const placesOf = async (dir: string): Promise<string[][]> => {
      const found = await findGoldens(`${root}/${dir}`);
      assert(found.every(isGolden));
      return found.map(({ name, modelDir }) => [name, modelDir.slice(root.length)]);
    };
    // Circles of two links and of one, a link to itself, one to nothing.
    await Deno.symlink(`${root}/picked`, `${root}/model/a/round`);
    await Deno.symlink(`${root}/model`, `${root}/picked/round`);
    await Deno.symlink(root, `${root}/model/b/up`);
    await Deno.symlink("whole", `${root}/another`);
    await Deno.symlink("self", `${root}/picked/self`);
    await Deno.symlink("../nowhere", `${root}/picked/gone`);
    assertEquals(await placesOf("."), [["model/a", "/model"], ["model/b", "/model"], ["whole", "/whole"]]);
    for (const path of ["model/a/round", "picked/round", "model/b/up"]) await Deno.remove(`${root}/${path}`);
    await Deno.symlink("../../model/a", `${root}/picked/own/first`);
    await Deno.symlink("../model/b", `${root}/picked/second`);
    await Deno.symlink("../whole", `${root}/picked/third`);
    // The model is the one above the link, and above the folder itself if there is none.
    assertEquals(await placesOf("picked"), [
      ["own/first", "/picked/own"],
      ["second", "/model"],
      ["third", "/picked/third"],
    ]);
    assertEquals(await placesOf("."), [
      ["model/a", "/model"],
      ["model/b", "/model"],
      ["picked/own/first", "/picked/own"],
      ["whole", "/whole"],
    ]);
  });
});

Deno.test("findGoldens() finds every golden of the project", async () => {
  const found = await findGoldens(GOLDENS);
  const goldens = found.filter(isGolden);
  assertEquals(goldens.filter(({ kind }) => kind === "attribution").length, 7);
  assertEquals(goldens.filter(({ kind }) => kind === "editing").length, 18);
  for (const golden of goldens) assertEquals(await unsupportedModel(golden), null);
  // Families by their logits and gradients alone, which tests/model/families_test.ts checks.
  const others = found.filter((other) => !isGolden(other));
  assertEquals([others.length, others.every((other) => "skipped" in other)], [5, true]);
});

Deno.test("findTokenizer() looks in the folder and above it", async () => {
  assert((await findTokenizer(`${GOLDENS}/editing/gptj/memit`)).endsWith("goldens/editing/tokenizer.json"));
  await withFolder(async (dir) => {
    const error = await assertRejects(() => findTokenizer(dir), FileError);
    assertEquals(
      error.message,
      `Cannot find a tokenizer for ${dir}: neither it nor a folder above holds tokenizer.json; put it beside the model`,
    );
  });
});

Deno.test("runConformance() skips models that this version does not have, and fails cases that it cannot read", async () => {
  await withFolder(async (root) => {
    await write(root, {
      "tokenizer.json": "{}",
      "other/config.json": { model_type: "mamba" },
      "other/x/case.json": { method: "memit" },
      "other/x/tensors.safetensors": "",
      "broken/config.json": await Deno.readTextFile(`${GOLDENS}/editing/gptj/config.json`),
      "broken/x/case.json": { method: "memit", hparams: {} },
      "broken/x/tensors.safetensors": "",
    });
    const seen: Outcome[] = [];
    const outcomes = await runConformance(gpu, root, { onOutcome: (outcome) => seen.push(outcome) });
    assertEquals(seen, outcomes);
    assertEquals(outcomes.map(({ name, status }) => [name, status]), [["broken/x", "failed"], ["other/x", "skipped"]]);
    assertEquals(tally(outcomes), { passed: 0, failed: 1, skipped: 1 });
    assertStringIncludes(describeOutcome(outcomes[0]!), "broken/x: failed: Cannot use ");
    assertStringIncludes(describeOutcome(outcomes[1]!), "other/x: skipped: Cannot use ");
    assertStringIncludes(describeOutcome(outcomes[1]!), 'found model_type "mamba"');
  });
});

Deno.test("runConformance() stops between cases when it is told to", async () => {
  const controller = new AbortController();
  controller.abort(new DOMException("Stopped", "AbortError"));
  const failure = await assertRejects(() => runConformance(gpu, GOLDENS, { signal: controller.signal })) as Error;
  assertEquals(failure.name, "AbortError");
});

Deno.test("worstCheck() is the one that uses most of its tolerance", () => {
  const check = (what: string, error: number, tolerance: number) => ({ what, error, tolerance });
  const [small, near, exact, wrong] = [
    check("small", 0.1, 100),
    check("near", 0.09, 0.1),
    check("exact", 0, 0),
    check("wrong", 1, 0),
  ];
  assertEquals(worstCheck([exact, small, near]), near);
  assertEquals(worstCheck([near, wrong, small]), wrong);
  assertEquals(worstCheck([near, check("nothing", NaN, 1)])!.what, "nothing");
  assertEquals(worstCheck([]), null);
  const outcome: Outcome = { name: "a/b", status: "passed", checks: 3, worst: near, reason: null };
  assertEquals(describeOutcome(outcome), "a/b: passed, 3 checks, worst 9.0e-2 of 1.0e-1 in near");
});

Deno.test("`conformance` prints a line a case and the counts alone on the last line", async () => {
  const { code, output, last } = await command(`${GOLDENS}/editing/gptj/pmet-early-stop`);
  assertEquals([code, last], [0, "1 passed, 0 failed, 0 skipped"]);
  assert(/^pmet-early-stop: passed, \d+ checks, worst \S+ of \S+ in /.test(output), output);
});

Deno.test("`conformance --json` prints JSON alone and exits with 1 after a failure", async () => {
  await withFolder(async (root) => {
    await write(root, {
      "config.json": await Deno.readTextFile(`${GOLDENS}/editing/gptj/config.json`),
      "x/case.json": { method: "memit", hparams: {} },
      "x/tensors.safetensors": "",
    });
    const { code, output } = await command("--json", root);
    const result = JSON.parse(output);
    assertEquals([code, result.passed, result.failed, result.skipped, result.cases.length], [1, 0, 1, 0, 1]);
  });
});

Deno.test("`conformance` exits with 1 where every case was skipped, since nothing was checked", async () => {
  await withFolder(async (root) => {
    await write(root, { "case.json": { a: 1 } });
    const { code, last, error } = await command(root);
    assertEquals([code, last], [1, "0 passed, 0 failed, 1 skipped"]);
    assertStringIncludes(error, "error: Cannot tell whether anything holds: every case was skipped");
  });
});

Deno.test("`conformance` says so when there is no case, and when it is called wrongly", async () => {
  await withFolder(async (root) => {
    const { code, error } = await command(root);
    assertEquals(code, 1);
    assertStringIncludes(
      error,
      `error: Cannot check ${root}: found no golden case below it, wanted folders with case.json and ` +
        "tensors.safetensors in or below the folder of a model, or case.json beside GGUF files. Check the path",
    );
  });
  assertEquals((await command()).code, 2);
  assertEquals((await command("a", "b")).code, 2);
});

Deno.test("runConformance() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
