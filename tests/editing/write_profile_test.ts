import { assertEquals, assertGreater } from "@std/assert";
import { Facts, loadFacts } from "../../src/editing/facts.ts";
import { writeProfile } from "../../src/editing/write_profile.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { WORLD, WORLD_PATH } from "./world_answerer.ts";

const gpu = await Gpu.open();

for (const name of ["world-qwen3", "world-gptj"]) {
  Deno.test(`writeProfile() finds the layer that edits of ${name} hold at, and that none holds before attention`, async () => {
    using model = await loadModel(gpu, `fixtures/world/${name}`);
    const { error, facts } = await writeProfile(model, await loadFacts(WORLD_PATH));
    assertEquals([error.length, facts], [model.config.nLayers, 12]);
    // Where edits in closed form held on these models when every layer was tried by a prototype in another library.
    assertEquals(error.indexOf(Math.min(...error)), 7);
    // The first block's MLP reads what one attention layer gathered: every subject of the relation looks alike.
    assertGreater(error[0]!, 0.5);
  });
}

Deno.test("writeProfile() tries no fact where no heads lead to any", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  const { country_capital } = WORLD.facts;
  const facts = Facts.parse({ relations: WORLD.relations, facts: { country_capital }, chains: [] }, WORLD_PATH);
  assertEquals(await writeProfile(model, facts), { error: new Array(model.config.nLayers).fill(0), facts: 0 });
});

Deno.test("after all, no buffer is alive", () => {
  assertEquals(gpu.memory().live, 0);
});
