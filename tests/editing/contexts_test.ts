import { assertEquals, assertNotEquals } from "@std/assert";
import { makeContexts } from "../../src/editing/contexts.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadSmall } from "../model/model_files.ts";

const gpu = await Gpu.open();

Deno.test("makeContexts() repeats itself under one seed, up to the largest, and differs between seeds", async () => {
  using model = await loadSmall(gpu);
  const largest = Number.MAX_SAFE_INTEGER;
  for (const [one, other] of [[0, 1], [largest, largest - 1]] as const) {
    const texts = await makeContexts(model, one);
    assertEquals(await makeContexts(model, one), texts);
    assertNotEquals(await makeContexts(model, other), texts);
  }
});

Deno.test("makeContexts() gives the bare prompt and texts of that many tokens with one slot each, at the end", async () => {
  using model = await loadSmall(gpu);
  const [bare, texts, ...more] = await makeContexts(model, 3, { count: 5, length: 6 });
  assertEquals([bare, texts!.length, more], [["{}"], 5, []]);
  for (const text of texts!) {
    assertEquals([text.split("{}").length, text.endsWith(". {}")], [2, true], text);
  }
  assertEquals(await makeContexts(model, 3, { count: 0 }), [["{}"]]);
});

Deno.test("contexts leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
