import { assertAlmostEquals, assertEquals, assertLess, assertNotEquals, assertRejects } from "@std/assert";
import { f16ToF32, toF16 } from "../../src/checkpoint/half.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { namedWeights } from "../../src/model/named_weights.ts";
import { EDITING, lastLogits, loadSmall, readTensors, TOKENIZER, withChangedModel } from "./model_files.ts";

const gpu = await Gpu.open();
const IDS = [45, 268, 1478, 12, 900];

Deno.test("loadModel() takes the sizes of both families from their config", async () => {
  using gptj = await loadSmall(gpu, "gptj");
  using qwen3 = await loadSmall(gpu, "qwen3");
  const sizes = { nLayers: 6, dModel: 48, nHeads: 4, vocab: 2560, maxPos: 128, tied: false };
  assertEquals({ ...gptj.config }, {
    ...sizes,
    family: "gptj",
    nKvHeads: 4,
    dHead: 12,
    dMlp: 96,
    eps: 1e-5,
    rotary: { dims: 8, theta: 10000 },
    parallel: true,
    activation: "gelu_tanh",
  });
  assertEquals({ ...qwen3.config }, {
    ...sizes,
    family: "qwen3",
    nKvHeads: 2,
    dHead: 16,
    dMlp: 80,
    eps: 1e-6,
    rotary: { dims: 16, theta: 10000 },
    parallel: false,
    biases: { attn: false, mlp: false },
    activation: "silu",
  });
});

Deno.test("loadModel() keeps weights in the type in which they are stored", async () => {
  for (const [name, dtype] of [["world-gptj", "f16"], ["world-qwen3", "bf16"]] as const) {
    using model = await loadModel(gpu, `fixtures/world/${name}`);
    const found = new Set(namedWeights(model.config).map((weight) => model.weights.get(weight.name).dtype));
    assertEquals([...found], [dtype]);
    const bytes = namedWeights(model.config).reduce((sum, { shape }) => sum + 2 * shape.reduce((a, b) => a * b, 1), 0);
    assertEquals(model.weights.byteLength, bytes);
  }
});

Deno.test("loadModel() reports bytes up to the whole", async () => {
  const reports: [number, number][] = [];
  using model = await loadModel(gpu, `${EDITING}/gptj`, {
    tokenizer: TOKENIZER,
    onProgress: (done, total) => reports.push([done, total]),
  });
  assertEquals(reports.length, namedWeights(model.config).length);
  assertEquals(reports.at(-1), [model.weights.byteLength, model.weights.byteLength]);
  assertEquals(reports.map(([done]) => done), reports.map(([done]) => done).toSorted((a, b) => a - b));
});

Deno.test("loadModel() gives the same model from shards as from one file", async () => {
  await withChangedModel({}, async (dir) => {
    using whole = await loadModel(gpu, dir);
    await Deno.remove(`${dir}/model.safetensors`);
    const tensors = [...(await readTensors(`${EDITING}/gptj/model.safetensors`)).values()];
    const shards = { "a.safetensors": tensors.slice(0, 20), "b.safetensors": tensors.slice(20) };
    const map: [string, string][] = [];
    for (const [file, part] of Object.entries(shards)) {
      await writeSafetensors(`${dir}/${file}`, part);
      map.push(...part.map(({ name }): [string, string] => [name, file]));
    }
    await Deno.writeTextFile(
      `${dir}/model.safetensors.index.json`,
      JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(map) }),
    );
    using sharded = await loadModel(gpu, dir);
    assertEquals(sharded.hash, whole.hash);
    assertEquals(await lastLogits(sharded, IDS), await lastLogits(whole, IDS));
  });
});

Deno.test("loadModel() calls a model of the hub's cache by its name there, any other by its folder", async () => {
  const cache = await Deno.makeTempDir();
  try {
    const snapshots = `${cache}/models--some-org--tiny-gptj/snapshots`;
    await Deno.mkdir(snapshots, { recursive: true });
    const snapshot = `${snapshots}/0123456789abcdef0123456789abcdef01234567`;
    await Deno.symlink(await Deno.realPath(`${EDITING}/gptj`), snapshot);
    using cached = await loadModel(gpu, snapshot, { tokenizer: TOKENIZER });
    using folder = await loadModel(gpu, `${EDITING}/gptj`, { tokenizer: TOKENIZER });
    assertEquals([cached.name, folder.name], ["some-org/tiny-gptj", "gptj"]);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("loadModel() stops at the next piece of a weight if asked to, and leaves no memory behind", async () => {
  const before = gpu.memory().live;
  const reason = new DOMException("Stopped by a test", "AbortError");
  const dir = `${EDITING}/gptj`;
  const loading = new AbortController();
  const seen: number[] = [];
  const onProgress = (bytes: number, total: number): void => {
    seen.push(bytes / total);
    loading.abort(reason);
  };
  const options = { tokenizer: TOKENIZER, onProgress, signal: loading.signal };
  assertEquals(await assertRejects(() => loadModel(gpu, dir, options)), reason);
  assertEquals(seen.length, 1);
  assertLess(seen[0]!, 1);
  assertEquals(gpu.memory().live, before);
  // The weights are hashed before any is uploaded.
  const hashing = loadModel(gpu, dir, { tokenizer: TOKENIZER, signal: AbortSignal.abort(reason), onProgress });
  assertEquals(await assertRejects(() => hashing), reason);
  assertEquals([seen.length, gpu.memory().live], [1, before]);
  (await loadModel(gpu, dir, { tokenizer: TOKENIZER })).dispose();
});

Deno.test("loadModel() names weights by what they are: one changed element changes the hash", async () => {
  using before = await loadSmall(gpu);
  const tensors = (list: Map<string, TensorToWrite>): void => {
    const { data } = list.get("transformer.h.2.mlp.fc_in.bias")!;
    new Float32Array(data.buffer as ArrayBuffer, data.byteOffset, 1)[0]! += 1;
  };
  await withChangedModel({ tensors }, async (dir) => {
    using after = await loadModel(gpu, dir);
    assertNotEquals(after.hash, before.hash);
  });
});

Deno.test("loadModel() runs f16 weights like the numbers that they stand for", async () => {
  const halve = (list: Map<string, TensorToWrite>, dtype: "F16" | "F32"): void => {
    for (const [name, tensor] of list) {
      const { data } = tensor;
      const half = toF16(new Float32Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 4));
      list.set(name, { ...tensor, dtype, data: dtype === "F16" ? half : f16ToF32(half) });
    }
  };
  const logits: Float32Array[] = [];
  for (const dtype of ["F16", "F32"] as const) {
    await withChangedModel({ tensors: (list) => halve(list, dtype) }, async (dir) => {
      using model = await loadModel(gpu, dir);
      logits.push(await lastLogits(model, IDS));
    });
  }
  // The tolerance that the forward goldens have for logits in f32.
  logits[0]!.forEach((value, i) => assertAlmostEquals(value, logits[1]![i]!, 3e-4));
});

Deno.test("loadModel() gives back what it took when a weight is refused", async () => {
  const before = gpu.memory().live;
  const tensors = (list: Map<string, TensorToWrite>): void => {
    const { data } = list.get("lm_head.weight")!;
    new Float32Array(data.buffer as ArrayBuffer, data.byteOffset, 1)[0] = NaN;
  };
  await withChangedModel({ tensors }, async (dir) => {
    await assertRejects(() => loadModel(gpu, dir), TypeError, "NaN");
  });
  assertEquals(gpu.memory().live, before);
});

Deno.test("loadModel() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
