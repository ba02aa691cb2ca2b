import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { largestAbsolute, largestError } from "../../src/evaluation/conformance/checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { ARCHITECTURES } from "../../src/model/architectures.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { rotaryFrequencies } from "../../src/model/rope_scaling.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { takePart } from "../../src/model/stored_part.ts";
import { withFolder } from "../checkpoint/files.ts";
import { caseFolder, CASES, withCase } from "./golden_case.ts";
import { FAMILY_CASES, FAMILY_TOKENIZER, familyFolder, loadFamily, SMALL_FOLDERS } from "./family_models.ts";
import { lastLogits, readTensors } from "./model_files.ts";

const gpu = await Gpu.open();

/** Logits that transformers gives a model, and the likeliest token at every position. */
interface FamilyCase {
  ids: number[];
  logits: number[];
  top: number[];
  /** Token whose log-probability at the last position is differentiated. */
  target: number;
  /** Its gradient with respect to the input of every block, [layers, pos, dModel]. */
  gradients: number[];
}

const readCase = async (name: string): Promise<FamilyCase> =>
  JSON.parse(await Deno.readTextFile(`${familyFolder(name)}/case.json`));

Deno.test("every family of the table has a reference", async () => {
  const covered = new Set<string>();
  for (const name of Object.keys(SMALL_FOLDERS)) {
    using model = await loadFamily(gpu, name);
    covered.add(model.config.family);
  }
  assertEquals([...covered].sort(), Object.keys(ARCHITECTURES).sort());
});

for (const name of FAMILY_CASES) {
  Deno.test(`Model.forward() gives the logits that transformers gives ${name}`, async () => {
    const { ids, logits, top } = await readCase(name);
    using model = await loadFamily(gpu, name);
    // The tolerance of logits in float32 on a GPU that the goldens of this size state.
    assert(largestError(await lastLogits(model, ids), logits) <= 3e-4);
    using cache = model.forward(ids, { logits: "all" });
    const all = (await cache.read("logits"))["logits"]!;
    const { vocab } = model.config;
    const likeliest = ids.map((_, t) => {
      const row = all.subarray(t * vocab, (t + 1) * vocab);
      return row.indexOf(row.reduce((a, b) => Math.max(a, b), -Infinity));
    });
    assertEquals(likeliest, top);
  });
}

for (const name of FAMILY_CASES) {
  Deno.test(`Model.gradients() gives the gradients that torch gives ${name}`, async () => {
    const { ids, target, gradients } = await readCase(name);
    using model = await loadFamily(gpu, name);
    const hooks = Array.from({ length: model.config.nLayers }, (_, layer) => `blocks.${layer}.hook_resid_pre`);
    using found = model.gradients(ids, target, hooks);
    const values = await found.read(...hooks);
    const size = ids.length * model.config.dModel;
    hooks.forEach((hook, layer) => {
      const want = gradients.slice(layer * size, (layer + 1) * size);
      // The tolerance of gradients in float32 on a GPU that the attribution goldens state.
      assert(largestError(values[hook]!, want) <= 1e-4 * largestAbsolute(want), hook);
    });
  });
}

Deno.test("a model with an attention window takes prompts up to it and says so past it", async () => {
  using model = await loadFamily(gpu, "mistral-window");
  assertEquals(model.config.maxPos, 24);
  const ids = Array.from({ length: 25 }, (_, i) => i + 1);
  using _cache = model.forward(ids.slice(1), { logits: "none" });
  assertThrows(
    () => model.forward(ids),
    RangeError,
    'Cannot run the model on "the prompt": found 25 tokens, the context holds 24, as many as its attention window. Shorten the prompt',
  );
});

for (const name of CASES) {
  Deno.test(`generate() with a cache continues as whole passes do, in ${name}`, async () => {
    await withCase(gpu, name, async (model, file) => {
      const prompt = file.prompts[1]!.ids;
      const ids = [...prompt];
      for (let i = 0; i < 6; i++) ids.push(await likeliest(model, ids));
      const end = ids.indexOf(model.tokenizer.eosId ?? -1, prompt.length);
      const wanted = model.tokenizer.decode(ids.slice(prompt.length, end < 0 ? undefined : end));
      let text = "";
      for await (const piece of model.generate(prompt, { maxTokens: 6 })) text += piece;
      assertEquals(text, wanted);
    });
  });
}

async function likeliest(model: Model, ids: readonly number[]): Promise<number> {
  const logits = await lastLogits(model, ids);
  return logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity));
}

Deno.test("Model.forward() adds learned positions where a hook can change them, and gives all back when it fails", async () => {
  using model = await loadFamily(gpu, "gpt2");
  const ids = [45, 268, 1478];
  using none = gpu.zeros([1, ids.length, model.config.dModel], "no positions");
  using kept = model.forward(ids, { keep: ["hook_embed", "blocks.0.hook_resid_pre"], patch: { hook_pos_embed: none } });
  const found = await kept.read("hook_embed", "blocks.0.hook_resid_pre");
  assertEquals(found["blocks.0.hook_resid_pre"], found["hook_embed"]);
  const before = gpu.memory().live;
  for (const hook of ["hook_embed", "hook_pos_embed", "blocks.1.ln2.hook_normalized"]) {
    const fail = (): never => {
      throw new Error("patch");
    };
    assertThrows(() => model.forward(ids, { keep: ["hook_embed"], patch: { [hook]: fail } }), Error, "patch");
    assertEquals([hook, gpu.memory().live], [hook, before]);
  }
});

Deno.test("loadModel() reads checkpoints of the bare GPT-2, whose names lack the prefix", async () => {
  await withFolder(async (dir) => {
    const source = caseFolder("gpt2");
    const tensors = await readTensors(`${source}/model.safetensors`);
    const bare = [...tensors.values()].map((tensor) => ({
      ...tensor,
      name: tensor.name.replace(/^transformer\./, ""),
    }));
    await writeSafetensors(`${dir}/model.safetensors`, bare);
    await Deno.copyFile(`${source}/config.json`, `${dir}/config.json`);
    using model = await loadModel(gpu, dir, { tokenizer: FAMILY_TOKENIZER });
    using usual = await loadModel(gpu, source, { tokenizer: FAMILY_TOKENIZER });
    assertEquals(largestError(await lastLogits(model, [5, 6, 7]), await lastLogits(usual, [5, 6, 7])), 0);
  });
});

Deno.test("loadModel() refuses more layers than there are tensors, at once", async () => {
  await withFolder(async (dir) => {
    const source = caseFolder("gpt2");
    const config = JSON.parse(await Deno.readTextFile(`${source}/config.json`));
    await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify({ ...config, n_layer: 2 ** 12 }));
    await Deno.copyFile(`${source}/model.safetensors`, `${dir}/model.safetensors`);
    await assertRejects(
      () => loadModel(gpu, dir, { tokenizer: FAMILY_TOKENIZER }),
      TypeError,
      "tensors, wanted 4096 layers by config.json. Config and weights are not of the same model",
    );
  });
});

Deno.test("takePart() takes every period's share, however the pieces are cut", async () => {
  const stored = Uint8Array.from({ length: 48 }, (_, i) => i);
  // Elements of two bytes, periods of six elements, two of them from the third on.
  const slice = { period: 6, first: 2, count: 2 };
  const wanted = [0, 12, 24, 36].flatMap((start) => [4, 5, 6, 7].map((i) => start + i));
  for (const size of [1, 2, 5, 7, 12, 48]) {
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < stored.length; at += size) yield stored.subarray(at, at + size);
    };
    const parts = await Array.fromAsync(takePart(pieces(), slice, 2, 16));
    assertEquals(parts.flatMap((part) => [...part]), wanted, `pieces of ${size}`);
    assert(parts.slice(0, -1).every(({ length }) => length % 4 === 0), `pieces of ${size}`);
  }
});

Deno.test("takePart() gives parts that are no whole number of words in all", async () => {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < 24; at += 8) yield Uint8Array.from({ length: 8 }, (_, i) => at + i);
  };
  const parts = await Array.fromAsync(takePart(pieces(), { period: 4, first: 1, count: 1 }, 2, 6));
  assertEquals(parts.map((part) => [...part]), [[2, 3, 10, 11], [18, 19]]);
});

Deno.test("rotaryFrequencies() follows Llama 3's rule: short waves kept, long ones stretched, a blend between", () => {
  const plain = rotaryFrequencies(128, 500000);
  const scaling = { type: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPos: 8192 } as const;
  const scaled = rotaryFrequencies(128, 500000, scaling);
  assertEquals(plain[0], 1);
  plain.forEach((frequency, i) => {
    const wavelength = 2 * Math.PI / frequency;
    if (wavelength < 8192 / 4) assertEquals(scaled[i], frequency);
    else if (wavelength > 8192) assertEquals(scaled[i], frequency / 8);
    else assert(scaled[i]! < frequency && scaled[i]! > frequency / 8);
  });
  // Values of transformers 5.24 for Llama 3.1 (base 500000, 128 features), which computes them in float32.
  const published = [
    [0, 1],
    [20, 0.016560441],
    [28, 0.0032114461],
    [30, 0.0013718937],
    [32, 0.00052484602],
    [34, 0.00017850779],
    [36, 7.7846555e-5],
    [40, 3.4281024e-5],
    [63, 3.0689259e-7],
  ] as const;
  for (const [i, value] of published) assert(Math.abs(scaled[i]! - value) <= 1e-6 * value, `feature ${i}`);
  assertEquals([...rotaryFrequencies(4, 100, { type: "linear", factor: 4 })], [0.25, 0.025]);
});

Deno.test("no live bytes are left on the device", () => {
  assertEquals(gpu.memory().live, 0);
  gpu[Symbol.dispose]();
});
