import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { withFolder } from "../checkpoint/files.ts";
import { target } from "./target.ts";
import { fuzzTargets } from "./targets.ts";

/** A fast share; `deno task fuzz` runs as many as are asked for. */
const RUNS = 300;

Deno.test("readers answer damaged input with errors of their own and nothing else", async (t) => {
  await withFolder(async (dir) => {
    using gpu = await Gpu.open();
    {
      using model = await loadModel(gpu, "fixtures/world/world-qwen3");
      for (const { name, run } of await fuzzTargets(dir, model)) {
        await t.step(name, async () => {
          const { accepted, refused } = await run({ runs: RUNS, seed: 1 });
          assertEquals(accepted + refused, RUNS);
          // Damage that is never seen would test nothing; prompts are the ones that are never refused.
          assert(name === "prompts" || refused > RUNS / 10, `${refused} of ${RUNS} refused`);
        });
      }
    }
    assertEquals(gpu.memory().live, 0);
  });
});

Deno.test("target() lets no foreign error, no lasting reader and no large allocation pass", async () => {
  const one = { runs: 20, seed: 1 };
  const refusing = target("ours", fc.nat(), () => {
    throw new FileError("x", "Cannot read x: it is damaged");
  });
  assertEquals((await refusing.run(one)).refused, 20);
  const foreign = target("foreign", fc.nat(), (n) => (n as unknown as { a: { b: number } }).a.b);
  await assertRejects(() => foreign.run(one), Error, "Cannot read properties of undefined");
  const named = target("named", fc.nat(), () => {
    throw new TypeError("Cannot use x.json: field a is 1, wanted 2");
  }, { ours: /^Cannot use x\.json: / });
  assertEquals((await named.run(one)).refused, 20);
  const kept: Uint8Array[] = [];
  const large = target("large", fc.nat(), () => void kept.push(new Uint8Array(1 << 24)), { size: () => 8 });
  await assertRejects(() => large.run(one), Error, "An input of 8 bytes took ");
  const lists: unknown[] = [];
  const long = target("long", fc.nat(), () => void lists.push(Array.from({ length: 1 << 19 }, () => ({}))), {
    size: () => 8,
  });
  await assertRejects(() => long.run(one), Error, "An input of 8 bytes took ");
});
