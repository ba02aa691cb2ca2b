import { assertEquals } from "@std/assert";
import {
  partsOf,
  readVectors,
  vectorElements,
  withoutBias,
  writtenVectors,
} from "../../src/attribution/weight_vectors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { WeightPatches } from "../../src/model/weight_patches.ts";
import type { Model } from "../../src/model/model.ts";
import { withCase } from "../model/golden_case.ts";

const gpu = await Gpu.open();

/** The same model with one weight stored the other way round. */
async function turned(model: Model, name: string): Promise<{ other: Model; dispose: () => void }> {
  const weight = model.weights.get(name);
  const [rows, cols] = weight.shape as [number, number];
  const [values] = await gpu.stream.read(weight);
  const across = Float32Array.from(values, (_, i) => values[(i % rows) * cols + Math.floor(i / rows)]!);
  const tensor = gpu.upload(across, [cols, rows], "turned");
  const weights = {
    get: (asked: string) => asked === name ? tensor : model.weights.get(asked),
    layout: (asked: string) => asked === name ? "in_out" : model.weights.layout(asked),
  };
  const other: Model = Object.create(model, { weights: { value: weights } });
  return { other, dispose: () => tensor.dispose() };
}

Deno.test("writtenVectors() and readVectors() do not depend on how a weight is stored", async () => {
  await withCase(gpu, "gptj", async (model) => {
    for (const [name, take] of [["blocks.1.mlp.W_out", writtenVectors], ["blocks.1.mlp.W_in", readVectors]] as const) {
      const { other, dispose } = await turned(model, name);
      const parts = [{ weight: name.replace("1", "0"), index: [3] }, { weight: name, index: [87, 0, 5] }];
      using straight = take(model, parts);
      using across = take(other, parts);
      const [want, got] = await gpu.stream.read(straight, across);
      assertEquals(straight.shape, [4, model.config.dModel]);
      assertEquals(Array.from(got), Array.from(want));
      // And they are the weight's own elements.
      const [values] = await gpu.stream.read(model.weights.get(name));
      const { dModel, dMlp } = model.config;
      const element = (i: number): number => name.endsWith("W_out") ? values[i * dMlp + 87]! : values[87 * dModel + i]!;
      assertEquals(Array.from(want.subarray(dModel, 2 * dModel)), Array.from({ length: dModel }, (_, i) => element(i)));
      dispose();
    }
  });
});

Deno.test("withoutBias() leaves the bias out", async () => {
  await withCase(gpu, "gptj", async (model) => {
    using zeros = gpu.zeros([2, model.config.dMlp], "zeros");
    using y = withoutBias(model, "blocks.0.mlp.W_out", zeros);
    const [values] = await gpu.stream.read(y);
    assertEquals([...values], new Array<number>(2 * model.config.dModel).fill(0));
    const { other, dispose } = await turned(model, "blocks.0.mlp.W_out");
    using across = withoutBias(other, "blocks.0.mlp.W_out", zeros);
    assertEquals(across.shape, y.shape);
    dispose();
  });
});

Deno.test("vectorElements() reads all or some elements of a vector", async () => {
  await withCase(gpu, "gptj", async (model) => {
    const bias = model.weights.get("unembed.b_U");
    using all = vectorElements(model, "unembed.b_U");
    using some = vectorElements(model, "unembed.b_U", [2566, 0]);
    const [want, got, two] = await gpu.stream.read(bias, all, some);
    assertEquals(Array.from(got), Array.from(want));
    assertEquals([...two], [want[2566]!, want[0]!]);
  });
});

Deno.test("writtenVectors() sees a weight as it was edited", async () => {
  await withCase(gpu, "qwen3", async (model) => {
    using patches = new WeightPatches(gpu, model.weights);
    const weight = "blocks.2.mlp.W_out";
    const { dModel, dMlp } = model.config;
    const right = new Float32Array(dMlp);
    right[7] = 1;
    using before = writtenVectors(model, [{ weight, index: [7] }]);
    patches.add(Symbol("edit"), [{ weight, left: new Float32Array(dModel).fill(2), right, rank: 1 }]);
    using after = writtenVectors(model, [{ weight, index: [7] }]);
    const [old, now] = await gpu.stream.read(before, after);
    assertEquals(Array.from(now), Array.from(old, (v) => Math.fround(v + 2)));
  });
});

Deno.test("partsOf() joins runs of the same weight", () => {
  const vectors = [{ weight: "a", index: 1 }, { weight: "a", index: 0 }, { weight: "b", index: 1 }];
  assertEquals(partsOf(vectors), [{ weight: "a", index: [1, 0] }, { weight: "b", index: [1] }]);
});

Deno.test("writtenVectors() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
