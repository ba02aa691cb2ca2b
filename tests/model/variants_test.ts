import { assertEquals } from "@std/assert";
import { checkForward, checkGradients } from "../../src/evaluation/conformance/forward_checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { FORCED_VARIANTS, possibleVariants } from "../../src/gpu/traits.ts";
import { assertHold, withCase } from "./golden_case.ts";

const plain = await Gpu.open();

for (const variant of FORCED_VARIANTS) {
  const ignore = !possibleVariants(plain.subgroupSize).includes(variant);
  Deno.test({
    name: `Model.forward() and Model.gradients() give the goldens of gptj and llama with variant ${variant} forced`,
    ignore,
    async fn() {
      using gpu = await Gpu.open({ variant });
      for (const name of ["gptj", "llama"]) {
        await withCase(gpu, name, async (model, file, golden) => {
          assertHold(await checkForward(model, file, golden), 100);
          assertHold(await checkGradients(model, file, golden), 40);
        });
      }
      assertEquals(gpu.memory().live, 0);
    },
  });
}

Deno.test("a forced variant changes how kernels share operands, and the default is what was measured", async () => {
  using tile = await Gpu.open({ variant: "tile" });
  assertEquals([tile.sharing.way, tile.traits], ["memory", plain.traits]);
  assertEquals([plain.variant, plain.memory().live], [null, 0]);
  plain.close();
});
