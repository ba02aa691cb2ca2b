import {
  assertEquals,
  assertLess,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { edit } from "../../src/editing/edit_model.ts";
import { exportModel } from "../../src/editing/export_model.ts";
import { saveEdit } from "../../src/editing/patch_file.ts";
import { Edit } from "../../src/editing/edit.ts";
import type { MomentSource } from "../../src/editing/session.ts";
import { searchTargets } from "../../src/editing/target_search.ts";
import { largestAbsolute } from "../../src/evaluation/conformance/checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { teacherForce } from "../../src/model/teacher_forcing.ts";
import { withFolder } from "../checkpoint/files.ts";
import { FAMILY_TOKENIZER, loadFamily, SMALL_FOLDERS } from "../model/family_models.ts";
import { lastLogits, readTensors } from "../model/model_files.ts";
import { planAt, randomEdit } from "./small_edits.ts";

const gpu = await Gpu.open();
const NAMES = Object.keys(SMALL_FOLDERS);
const IDS = [45, 268, 1478, 12, 900, 31];
// The search lowers the mean over contexts; on random weights not every target is then likelier after the bare prompt too.
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Rome" };

/** Second moments of keys that are as long in every direction. */
function evenMoments({ config: { dMlp } }: Model): MomentSource {
  const identity = new Float64Array(dMlp ** 2);
  for (let i = 0; i < dMlp; i++) identity[i * (dMlp + 1)] = 1;
  return { get: () => Promise.resolve(identity) };
}

/** Negative log-probability of the answer that is asked for. */
async function nllOf(model: Model): Promise<number> {
  const prompt = model.tokens(REQUEST.prompt.replace("{}", REQUEST.subject));
  const [forced] = await teacherForce(model, [{ prompt, target: model.tokens(` ${REQUEST.target}`) }]);
  return -forced!.logProbs.reduce((a, b) => a + b, 0);
}

/** Copies a small model; an attention window becomes one that the contexts of a search fit in. */
async function copyWithRoom(source: string, dir: string): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile(`${source}/config.json`));
  if (typeof config.sliding_window === "number") config.sliding_window = 64;
  await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify(config));
  for await (const { name } of Deno.readDir(source)) {
    if (name.startsWith("model")) await Deno.symlink(`${source}/${name}`, `${dir}/${name}`);
  }
}

for (const name of NAMES) {
  Deno.test(`searchTargets() starts with the gradient of a whole backward pass, in ${name}`, async () => {
    using model = await loadFamily(gpu, name);
    const { dModel } = model.config;
    const position = 3;
    for (const site of ["mlp", "attn"] as const) {
      const { gradients } = await searchTargets(model, [{
        ids: IDS,
        edits: [{ position, slot: 0 }],
        labels: [{ position: IDS.length - 1, token: 77, weight: 1 }],
      }], {
        layer: 0,
        sites: [site],
        steps: 2,
        lr: 0.3,
        clamp: 5,
        weightDecay: 0,
        klFactor: 0,
        stopBelow: 0,
        stopOn: "nll",
        switchFactor: false,
        scale: "mean",
        trace: true,
      });
      const hook = `blocks.0.hook_${site}_out`;
      using whole = model.gradients(IDS, 77, [hook]);
      const want = (await whole.read(hook))[hook]!.subarray(position * dModel, (position + 1) * dModel);
      const size = largestAbsolute(want);
      // The search lowers the loss, the whole pass has the gradient of the log-probability; the goldens' tolerance.
      want.forEach((x, i) => assertLess(Math.abs(gradients![i]! + x), 1e-4 * size, `${site} ${i}`));
    }
  });

  Deno.test(`exportModel() writes edits of ${name} as applying them gives`, () =>
    withFolder(async (dir) => {
      using model = await loadFamily(gpu, name);
      const logits = await lastLogits(model, IDS);
      using change = randomEdit(model, "export", [0, 1]);
      await saveEdit(change, `${dir}/edit.safetensors`);
      await exportModel(gpu, SMALL_FOLDERS[name]!, `${dir}/out`, { patches: [`${dir}/edit.safetensors`] });
      change.apply();
      const edited = await lastLogits(model, IDS);
      assertNotEquals(edited, logits);
      using exported = await loadModel(gpu, `${dir}/out`, { tokenizer: FAMILY_TOKENIZER });
      assertEquals(await lastLogits(exported, IDS), edited);
    }));

  Deno.test(`edit() makes the answer likelier in ${name}, and reverting gives the same bits`, () =>
    withFolder(async (dir) => {
      await copyWithRoom(SMALL_FOLDERS[name]!, dir);
      using model = await loadModel(gpu, dir, { tokenizer: FAMILY_TOKENIZER });
      const [logits, before] = [await lastLogits(model, IDS), await nllOf(model)];
      const plan = planAt([0], model.config.nLayers);
      // Nothing is kept but what the write needs, so that it can give the vector that was searched for.
      const options = { method: "memit", plan, moments: evenMoments(model), spread: { lambda: 1e-3 } } as const;
      using change = await edit(model, [REQUEST], options);
      assertEquals(await lastLogits(model, IDS), logits);
      change.apply();
      assertLess(await nllOf(model), before);
      change.revert();
      assertEquals(await lastLogits(model, IDS), logits);
    }));
}

Deno.test("exportModel() edits checkpoints of the bare GPT-2 under their own names", () =>
  withFolder(async (dir) => {
    const source = SMALL_FOLDERS["gpt2"]!;
    const tensors = await readTensors(`${source}/model.safetensors`);
    const bare = [...tensors.values()].map((tensor) => ({ ...tensor, name: tensor.name.replace("transformer.", "") }));
    await Deno.mkdir(`${dir}/bare`);
    await writeSafetensors(`${dir}/bare/model.safetensors`, bare);
    await Deno.copyFile(`${source}/config.json`, `${dir}/bare/config.json`);
    using model = await loadModel(gpu, `${dir}/bare`, { tokenizer: FAMILY_TOKENIZER });
    using change = randomEdit(model, "bare", [2]);
    await saveEdit(change, `${dir}/edit.safetensors`);
    const { edits } = await exportModel(gpu, `${dir}/bare`, `${dir}/out`, { patches: [`${dir}/edit.safetensors`] });
    assertEquals(edits.map(({ tensor }) => tensor), ["h.2.mlp.c_proj.weight"]);
    change.apply();
    using exported = await loadModel(gpu, `${dir}/out`, { tokenizer: FAMILY_TOKENIZER });
    assertEquals(await lastLogits(exported, IDS), await lastLogits(model, IDS));
  }));

Deno.test("exportModel() refuses changes of weights that share a stored tensor", () =>
  withFolder(async (dir) => {
    using model = await loadFamily(gpu, "phi3");
    const { record } = randomEdit(model, "fused", [0]);
    const { dModel, dMlp } = model.config;
    const patch = {
      weight: "blocks.0.mlp.W_in",
      left: new Float32Array(dMlp),
      right: new Float32Array(dModel),
      rank: 1,
    };
    using change = new Edit(model, record, [patch], [{ layer: 0, change: 0, relative: 0 }]);
    await saveEdit(change, `${dir}/edit.safetensors`);
    const error = await assertRejects(
      () => exportModel(gpu, SMALL_FOLDERS["phi3"]!, `${dir}/out`, { patches: [`${dir}/edit.safetensors`] }),
    );
    assertStringIncludes(
      (error as Error).message,
      'Cannot export a change of "blocks.0.mlp.W_in": "model.layers.0.mlp.gate_up_proj.weight" holds other weights too, ' +
        "wanted a weight with a tensor of its own. Export a change of W_out",
    );
    assertStrictEquals(model.patches.count, 0);
  }));

Deno.test("edits of every family leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
