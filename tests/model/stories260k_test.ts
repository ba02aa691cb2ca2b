import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";

interface Case {
  prompt: string;
  promptIds: number[];
  ids: number[];
  text: string;
  /** Least lead of the likeliest token over the next one in 100 steps. */
  lead: number;
}

const DIR = "fixtures/stories260k";
const cases: Case[] = JSON.parse(await Deno.readTextFile(`${DIR}/greedy.json`));

Deno.test("greedy text equals the reference runner's first 100 tokens", async () => {
  using gpu = await Gpu.open();
  {
    using model = await loadModel(gpu, DIR);
    for (const { prompt, promptIds, ids, text, lead } of cases) {
      assertEquals(model.tokenizer.encode(prompt), promptIds);
      assertEquals(ids.length, 100);
      // Errors of float32 are far below the least lead, so that no step is a matter of luck.
      assert(lead > 0.01, `${lead}`);
      const pieces = await Array.fromAsync(model.generate(prompt, { maxTokens: 100 }));
      assertEquals(pieces.join(""), text);
      assertEquals(model.tokenizer.encode(text, { continues: true }), ids);
    }
  }
  assertEquals(gpu.memory().live, 0);
});
