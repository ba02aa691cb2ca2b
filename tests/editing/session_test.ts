import { assertEquals, assertThrows } from "@std/assert";
import { readSearchLog } from "../../src/editing/search_log.ts";
import { EditSession } from "../../src/editing/session.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadSmall } from "../model/model_files.ts";

const gpu = await Gpu.open();

/** What a search found whose log has these losses. */
function searchWith(losses: readonly number[]) {
  const lines = Float32Array.from(losses.flatMap((loss) => [loss, 1, 0, 0, loss, 0, 0, 0, -loss, 1]));
  return { delta: {}, before: {}, steps: readSearchLog(lines, losses.length, [1], 1) };
}

Deno.test("EditSession.addSearch() keeps a search with finite losses and refuses one that diverged", async () => {
  using model = await loadSmall(gpu);
  using session = new EditSession(model, { get: () => Promise.reject(new Error("not asked for")) });
  session.addSearch(searchWith([4, 2]));
  for (const loss of [NaN, Infinity]) {
    assertThrows(
      () => session.addSearch(searchWith([4, 2, loss])),
      RangeError,
      `Cannot edit: the loss of search 2 is ${loss} at step 3, wanted a finite number. Use a smaller rate (lr) or ` +
        "shorter vectors (clamp)",
    );
  }
  assertEquals(session.searches.map(({ steps }) => steps.map(({ loss }) => loss)), [[4, 2]]);
});

Deno.test("edit sessions leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
