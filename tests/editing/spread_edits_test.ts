import { assertEquals, assertRejects } from "@std/assert";
import { edit } from "../../src/editing/edit_model.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadSmall } from "../model/model_files.ts";
import { planAt, withStoredMoments } from "./small_edits.ts";

const gpu = await Gpu.open();
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Tokyo" };

Deno.test("edit() by pmet and memit tells of each write, and stops between two", async () => {
  using model = await loadSmall(gpu);
  await withStoredMoments(model, "gptj", async (moments) => {
    for (const method of ["pmet", "memit"] as const) {
      const controller = new AbortController();
      const stages: string[] = [];
      const stopped = edit(model, [REQUEST], {
        method,
        moments,
        plan: planAt([1, 2]),
        spread: { steps: 2 },
        signal: controller.signal,
        onProgress: ({ stage }) => {
          stages.push(stage);
          if (stage === "write layer 2") controller.abort(new DOMException("Stopped", "AbortError"));
        },
      });
      await assertRejects(() => stopped, DOMException, "Stopped");
      assertEquals(stages, ["search", "write layer 1", "write layer 2"]);
      assertEquals(model.patches.count, 0);
    }
  });
});

Deno.test("edit() in paper mode writes layers in ascending order, each once, however a plan lists them", async () => {
  using model = await loadSmall(gpu);
  await withStoredMoments(model, "gptj", async (moments) => {
    const make = async (value: number[], query: number[]) => {
      const plan = {
        value: { layers: value, token: "last" as const },
        query: { layers: query, token: "last" as const },
        reasons: [],
      };
      using made = await edit(model, [REQUEST], { mode: "paper", moments, plan, spread: { steps: 2 } });
      return { patches: made.patches, written: made.record.solves!.map(({ layer }) => layer) };
    };
    const wanted = await make([3, 4], [1, 2]);
    assertEquals(wanted.written, [3, 4, 1, 2]);
    assertEquals(await make([4, 3, 4], [2, 1]), wanted);
  });
});

Deno.test("edits over several layers leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
