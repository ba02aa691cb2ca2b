import { assert, assertEquals } from "@std/assert";
import { findGoldens, isGolden } from "../../src/evaluation/conformance/discover.ts";
import { checkEditingCase } from "../../src/evaluation/conformance/editing.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withFolder } from "../checkpoint/files.ts";
import { assertHold } from "../model/golden_case.ts";

const GOLDENS = "fixtures/goldens/editing";
const gpu = await Gpu.open();
const found = await findGoldens(GOLDENS);
const goldens = found.filter(isGolden);

Deno.test("findGoldens() finds the editing goldens of every model", () => {
  assertEquals([goldens.length, found.length], [18, 18]);
  assert(goldens.every(({ kind }) => kind === "editing"));
});

for (const { name, dir } of goldens) {
  Deno.test(`checkEditingCase() finds every search step, write and logit of ${name} within tolerance`, async () => {
    const result = await checkEditingCase(gpu, dir);
    assert("checks" in result, "skipped" in result ? result.skipped : "");
    assertHold(result.checks, 150);
  });
}

/** Copies a case with a change to its JSON, beside links to its model, and checks the copy. */
async function checkChanged(
  path: string,
  change: (
    json: { method: string; hparams: Record<string, unknown>; searches: { steps: { loss: number }[] }[] },
  ) => void,
): ReturnType<typeof checkEditingCase> {
  let result: Awaited<ReturnType<typeof checkEditingCase>> | undefined;
  await withFolder(async (root) => {
    const [model] = path.split("/") as [string];
    const source = await Deno.realPath(`${GOLDENS}/${model}`);
    for (const file of ["config.json", "model.safetensors", "covariance.safetensors"]) {
      await Deno.symlink(`${source}/${file}`, `${root}/${file}`);
    }
    await Deno.symlink(`${source}/../tokenizer.json`, `${root}/tokenizer.json`);
    await Deno.mkdir(`${root}/other-name`);
    await Deno.symlink(
      await Deno.realPath(`${GOLDENS}/${path}/tensors.safetensors`),
      `${root}/other-name/tensors.safetensors`,
    );
    const json = JSON.parse(await Deno.readTextFile(`${GOLDENS}/${path}/case.json`));
    change(json);
    await Deno.writeTextFile(`${root}/other-name/case.json`, JSON.stringify(json));
    result = await checkEditingCase(gpu, `${root}/other-name`);
  });
  return result!;
}

Deno.test("checkEditingCase() finds a wrong loss and a wrong number of steps, and nothing else", async () => {
  const result = await checkChanged("gptj/pmet-early-stop", ({ searches }) => {
    searches[0]!.steps[2]!.loss += 1e-3;
    searches[1]!.steps.push(searches[1]!.steps.at(-1)!);
  });
  assert("checks" in result);
  const failed = result.checks.filter(({ error, tolerance }) => !(error <= tolerance)).map(({ what }) => what);
  assertEquals(failed, ["search.0 step 2 loss", "search.1 steps"]);
});

Deno.test("checkEditingCase() finds that another clamp gives another edit", async () => {
  const result = await checkChanged("gptj/pmet-early-stop", ({ hparams }) => hparams.clamp_norm_factor = 0.5);
  assert("checks" in result);
  const failed = result.checks.filter(({ error, tolerance }) => !(error <= tolerance)).map(({ what }) => what);
  assert(failed.includes("write.0 D") && failed.includes("logits.post.0"), failed.join());
  assert(!failed.some((what) => what.startsWith("logits.pre")), failed.join());
});

Deno.test("checkEditingCase() skips methods and solvers that it does not have", async () => {
  const method = await checkChanged("gptj/pmet-early-stop", (json) => json.method = "rome");
  assertEquals("skipped" in method && method.skipped, "method rome is not supported");
  const solver = await checkChanged("gptj/ace-chain", ({ hparams }) => hparams.solver = "subspace");
  assertEquals("skipped" in solver && solver.skipped, "solver subspace is not supported");
});

Deno.test("checkEditingCase() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
