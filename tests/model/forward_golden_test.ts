import { assertEquals } from "@std/assert";
import { checkForward } from "../../src/evaluation/conformance/forward_checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { assertHold, CASES, withCase } from "./golden_case.ts";

const gpu = await Gpu.open();

for (const name of CASES) {
  Deno.test(`Model.forward() gives the golden activations and logits of ${name}`, async () => {
    await withCase(gpu, name, async (model, file, golden) => {
      assertHold(await checkForward(model, file, golden), 100);
    });
  });
}

Deno.test("Model.forward() submits once", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const before = gpu.stats().submits;
    using cache = model.forward(file.prompts[1]!.ids);
    await cache.read("logits");
    assertEquals(gpu.stats().submits - before, 1);
  });
});

Deno.test("Model.forward() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
