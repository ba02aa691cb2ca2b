import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { momentDocuments, MomentsFile, momentsKey } from "../../src/editing/moments_file.ts";
import { type MomentsOptions, SecondMoments } from "../../src/editing/second_moments.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Model } from "../../src/model/model.ts";
import { listFolder, withFolder } from "../checkpoint/files.ts";
import { EDITING, loadSmall, readTensors } from "../model/model_files.ts";
import { randomEdit, withStoredMoments } from "./small_edits.ts";

const gpu = await Gpu.open();

/** Texts that the golden second moments were taken over, and their number of tokens. */
async function corpusOf(family: string): Promise<{ corpus: string[]; tokens: number }> {
  return JSON.parse(await Deno.readTextFile(`${EDITING}/${family}/covariance.json`));
}

/** Moments of some layers as arrays. */
async function arraysOf(moments: SecondMoments, layers: readonly number[]): Promise<Float64Array[]> {
  return await Promise.all(layers.map((layer) => moments.get(layer)));
}

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`SecondMoments.compute() agrees with the golden of ${family} for every layer`, async () => {
    using model = await loadSmall(gpu, family);
    const { corpus, tokens } = await corpusOf(family);
    const layers = [0, 1, 2, 3, 4, 5];
    const found = await SecondMoments.compute(model, { documents: corpus, layers });
    assertEquals([found.tokens, found.layers, found.modelHash], [tokens, layers, model.hash]);
    await withStoredMoments(model, family, async (stored) => {
      for (const layer of layers) {
        const [got, want] = [await found.get(layer), await stored.get(layer)];
        assertEquals(got.length, model.config.dMlp ** 2);
        const difference = Math.hypot(...got.map((x, i) => x - want[i]!));
        assertLess(difference, 1e-5 * Math.hypot(...want));
      }
    });
  });
}

Deno.test("SecondMoments.compute() gives the same bits after a stop as in one run", async () => {
  using model = await loadSmall(gpu);
  const { corpus: documents } = await corpusOf("gptj");
  const layers = [1, 4];
  const whole = await arraysOf(await SecondMoments.compute(model, { documents, layers }), layers);
  await withFolder(async (cacheDir) => {
    const stopped: number[] = [];
    const controller = new AbortController();
    const failure = await assertRejects(() =>
      SecondMoments.compute(model, {
        documents,
        layers,
        cacheDir,
        signal: controller.signal,
        onProgress: (done) => {
          stopped.push(done);
          controller.abort(new DOMException("Stopped", "AbortError"));
        },
      })
    );
    assertEquals([(failure as Error).name, stopped], ["AbortError", [100]]);
    const resumed: number[] = [];
    const onProgress = (done: number): number => resumed.push(done);
    const again = await SecondMoments.compute(model, { documents, layers, cacheDir, onProgress });
    assertEquals(resumed, [documents.length]);
    assertEquals(await arraysOf(again, layers), whole);
    assertEquals((await listFolder(cacheDir)).length, layers.length);

    // A third call computes nothing, and a further layer is computed alone.
    resumed.length = 0;
    assertEquals(
      await arraysOf(await SecondMoments.compute(model, { documents, layers, cacheDir, onProgress }), layers),
      whole,
    );
    assertEquals(resumed, []);
    const more = await SecondMoments.compute(model, { documents, layers: [4, 1, 2], cacheDir, onProgress });
    assertEquals(resumed, [100, documents.length]);
    assertEquals(await arraysOf(more, layers), whole);
  });
});

Deno.test("SecondMoments.compute() takes up layers that stopped at different documents", async () => {
  using model = await loadSmall(gpu);
  const { corpus: documents } = await corpusOf("gptj");
  const layers = [0, 3];
  const whole = await arraysOf(await SecondMoments.compute(model, { documents, layers }), layers);
  await withFolder(async (cacheDir) => {
    const controller = new AbortController();
    const options: MomentsOptions = { documents, layers: [3], cacheDir };
    await assertRejects(() =>
      SecondMoments.compute(model, { ...options, signal: controller.signal, onProgress: () => controller.abort() })
    );
    assertEquals(await arraysOf(await SecondMoments.compute(model, { ...options, layers }), layers), whole);
  });
});

Deno.test("SecondMoments.compute() cuts documents at the context and leaves empty ones out", async () => {
  using model = await loadSmall(gpu);
  const long = "The capital of France is Paris. ".repeat(60);
  const ids = model.tokenizer.encode(long);
  assertLess(model.config.maxPos, ids.length);
  const found = await SecondMoments.compute(model, { documents: ["", long, ""], layers: [2] });
  assertEquals(found.tokens, model.config.maxPos);
});

/** Writes moments of a few documents and hands over where they lie. */
async function withCache(model: Model, body: (dir: string, path: string, options: MomentsOptions) => Promise<void>) {
  await withFolder(async (cacheDir) => {
    const options = { documents: ["The cat sat.", "It is Paris."], layers: [1], cacheDir };
    await SecondMoments.compute(model, options);
    const file = new MomentsFile(cacheDir, model, momentDocuments(model, options.documents));
    await body(cacheDir, file.path(1), options);
  });
}

Deno.test("SecondMoments.compute() refuses stored moments of another model or corpus", async () => {
  using model = await loadSmall(gpu);
  await withCache(model, async (_, path, options) => {
    const other = { ...options, documents: ["Other text."] };
    const keyOf = (texts: readonly string[]): string => momentsKey(model, momentDocuments(model, texts));
    const wanted = keyOf(other.documents);
    const found = keyOf(options.documents);
    const renamed = path.replace(found.slice(0, 16), wanted.slice(0, 16));
    await Deno.rename(path, renamed);
    const error = await assertRejects(() => SecondMoments.compute(model, other), FileError);
    assertEquals(
      error.message,
      `Cannot use second moments ${renamed}: found key ${found.slice(0, 16)} and shape [96,96], wanted key ` +
        `${
          wanted.slice(0, 16)
        } and [96, 96]. They belong to another model or corpus: delete the file or choose another ` +
        "folder",
    );
  });
});

Deno.test("SecondMoments.compute() says to delete a stored file that was cut short", async () => {
  using model = await loadSmall(gpu);
  await withCache(model, async (_, path, options) => {
    await Deno.truncate(path, 3000);
    const error = await assertRejects(() => SecondMoments.compute(model, options), FileError);
    assertEquals(
      error.message,
      `Cannot use second moments ${path}: the file is damaged; delete it, and they are counted again`,
    );
  });
});

Deno.test("SecondMoments.compute() keys its cache by weights and tokens", async () => {
  using gptj = await loadSmall(gpu, "gptj");
  using qwen3 = await loadSmall(gpu, "qwen3");
  const keys = [
    momentsKey(gptj, [[1], [2]]),
    momentsKey(gptj, [[1]]),
    momentsKey(gptj, [[1, 2]]),
    momentsKey(qwen3, [[1]]),
  ];
  assertEquals(new Set(keys).size, 4);
  assertEquals(momentsKey(gptj, [[1], [2]]), keys[0]);
});

Deno.test("SecondMoments.compute() refuses a damaged file", async () => {
  using model = await loadSmall(gpu);
  await withCache(model, async (_, path, options) => {
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length / 2));
    const error = await assertRejects(() => SecondMoments.compute(model, options), FileError);
    assertEquals(error.path, path);
  });
});

Deno.test("SecondMoments.compute() refuses stored moments that tell no number of documents, or hold NaN", async () => {
  using model = await loadSmall(gpu);
  await withCache(model, async (_, path, options) => {
    const { data, ...sum } = (await readTensors(path)).get("sum")!;
    const values = new Float64Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 8);
    const key = momentsKey(model, momentDocuments(model, options.documents));
    const refused = async (documents: string, first: number, found: string): Promise<void> => {
      const metadata = { key, documents };
      await writeSafetensors(path, [{ ...sum, data: values.with(0, first) }], metadata);
      const error = await assertRejects(() => SecondMoments.compute(model, options), FileError);
      assertEquals(
        error.message,
        `Cannot use second moments ${path}: found ${found} values that are NaN or infinite, wanted at most 2 and no ` +
          "such value; the file is damaged; delete it, and they are counted again",
      );
    };
    await refused("NaN", 1, '"NaN" as the number of documents and 0');
    await refused("3", 1, '"3" as the number of documents and 0');
    await refused("2", NaN, '"2" as the number of documents and 1');
  });
});

Deno.test("SecondMoments.compute() refuses no documents, and a model with an edit applied", async () => {
  using model = await loadSmall(gpu);
  await assertRejects(
    () => SecondMoments.compute(model, { documents: [], layers: [1] }),
    RangeError,
    "Cannot compute second moments: found no document, wanted some text of the model's domain",
  );
  using applied = randomEdit(model, "one", [1]);
  applied.apply();
  await assertRejects(
    () => SecondMoments.compute(model, { documents: ["The cat sat."], layers: [1] }),
    TypeError,
    "Cannot compute second moments of layer 1 while an edit is applied: revert it first, or count them before",
  );
});

Deno.test("SecondMoments.compute() takes stored moments of the unedited model while an edit is applied", async () => {
  using model = await loadSmall(gpu);
  await withCache(model, async (_dir, _path, options) => {
    const unedited = await arraysOf(await SecondMoments.compute(model, options), [1]);
    using applied = randomEdit(model, "one", [0]);
    applied.apply();
    assertEquals(await arraysOf(await SecondMoments.compute(model, options), [1]), unedited);
    await assertRejects(
      () => SecondMoments.compute(model, { ...options, layers: [1, 2] }),
      TypeError,
      "Cannot compute second moments of layer 2 while an edit is applied",
    );
  });
});

Deno.test("SecondMoments.get() refuses a layer that was not counted", async () => {
  using model = await loadSmall(gpu);
  const found = await SecondMoments.compute(model, { documents: ["The cat sat."], layers: [1, 4] });
  await assertRejects(
    () => found.get(2),
    RangeError,
    "Cannot give second moments of layer 2: found layers 1, 4 only",
  );
});

Deno.test("second moments leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
