import { assertEquals } from "@std/assert";
import { checkGradients } from "../../src/evaluation/conformance/forward_checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { assertHold, CASES, withCase } from "./golden_case.ts";

const gpu = await Gpu.open();

for (const name of CASES) {
  Deno.test(`Model.gradients() gives the golden gradients of ${name}`, async () => {
    await withCase(gpu, name, async (model, file, golden) => {
      assertHold(await checkGradients(model, file, golden), 40);
    });
  });
}

Deno.test("Model.gradients() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
