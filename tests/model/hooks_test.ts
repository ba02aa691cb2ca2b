import { assertEquals, assertLess, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { addInto } from "../../kernels/add_into.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { HookOptions } from "../../src/model/hooks.ts";
import { Temps } from "../../src/model/hooks.ts";
import type { Model } from "../../src/model/model.ts";
import { loadSmall } from "./model_files.ts";

const gpu = await Gpu.open();
const A = [45, 268, 1478, 12, 900, 31];
const B = [7, 1999, 2, 400, 401, 88];

async function logitsOf(model: Model, ids: readonly number[], options: HookOptions = {}): Promise<Float32Array> {
  using cache = model.forward(ids, options);
  return (await cache.read("logits"))["logits"]!;
}

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`Model.forward() with another prompt's residual continues as that prompt does, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const hook = "blocks.2.hook_resid_post";
    using other = model.forward(B, { keep: [hook] });
    // Same sizes and same kernels on the same numbers: the same bits.
    assertEquals(await logitsOf(model, A, { patch: { [hook]: other.get(hook) } }), await logitsOf(model, B));
    assertNotEquals(await logitsOf(model, A), await logitsOf(model, B));
  });

  Deno.test(`Model.forward() runs a patch function on the activation in its documented shape, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const { nHeads, dHead } = model.config;
    const shapes: (readonly number[])[] = [];
    using head = gpu.zeros([1, A.length, nHeads, dHead], "no heads");
    const viaFunction = await logitsOf(model, A, {
      patch: {
        "blocks.1.attn.hook_z": (activation, stream) => {
          shapes.push(activation.shape);
          stream.copy(head, activation);
        },
      },
    });
    assertEquals(shapes, [[1, A.length, nHeads, dHead]]);
    assertEquals(viaFunction, await logitsOf(model, A, { patch: { "blocks.1.attn.hook_z": head } }));
    assertNotEquals(viaFunction, await logitsOf(model, A));
  });
}

Deno.test("Model.forward() keeps what a patch left, and everything behind it sees the change", async () => {
  using model = await loadSmall(gpu);
  const [changed, later] = ["blocks.3.mlp.hook_post", "blocks.4.hook_resid_pre"];
  using plain = model.forward(A, { keep: [changed, later] });
  using doubled = model.forward(A, {
    keep: [changed, later],
    patch: { [changed]: (x, stream) => addInto(stream, { x: plain.get(changed), into: x }) },
  });
  const [before, after] = [await plain.read(changed, later), await doubled.read(changed, later)];
  assertEquals(after[changed], before[changed]!.map((x) => 2 * x));
  assertNotEquals(after[later], before[later]);
});

Deno.test("Model.forward() gives the same logits whether activations are kept or not", async () => {
  using model = await loadSmall(gpu, "qwen3");
  const keep = ["hook_embed", "blocks.0.attn.hook_q", "blocks.5.mlp.hook_pre_linear", "ln_final.hook_normalized"];
  const [got, want] = [await logitsOf(model, A, { keep }), await logitsOf(model, A)];
  // With the final norm kept all rows go through it, and the product may sum in another order: the goldens' tolerance.
  got.forEach((x, i) => assertLess(Math.abs(x - want[i]!), 3e-4));
});

Deno.test("Model.forward() refuses hooks that there are not, and names near ones", async () => {
  using model = await loadSmall(gpu);
  assertThrows(
    () => model.forward(A, { keep: ["block.2.hook_resid_post"] }),
    TypeError,
    'Cannot find hook "block.2.hook_resid_post" in this model: did you mean blocks.0.hook_resid_post, ' +
      "blocks.1.hook_resid_post, blocks.2.hook_resid_post",
  );
  assertThrows(
    () => model.forward(A, { keep: ["blocks.0.mlp.hook_gate"] }),
    TypeError,
    'Cannot find hook "blocks.0.mlp.hook_gate" in this model: see the table of hooks',
  );
  assertThrows(() => model.forward(A, { patch: { "blocks.9.hook_mlp_out": () => {} } }), TypeError, "Cannot find hook");
  assertThrows(() => model.gradients(A, 7, ["blocks.0.mlp.hook_gate"]), TypeError, "Cannot find hook");
});

Deno.test("Model.forward() refuses a replacement of another size", async () => {
  using model = await loadSmall(gpu);
  using small = gpu.zeros([1, 5, 48], "small");
  assertThrows(
    () => model.forward(A, { patch: { "blocks.0.hook_mlp_out": small } }),
    RangeError,
    "Cannot patch blocks.0.hook_mlp_out: found a replacement [1, 5, 48], wanted [1, 6, 48]",
  );
});

Deno.test("Model.forward() refuses patches of values that are only shown", async () => {
  using model = await loadSmall(gpu);
  using scale = gpu.zeros([1, A.length, 1], "scale");
  assertThrows(
    () => model.forward(A, { patch: { "blocks.1.ln1.hook_scale": scale } }),
    TypeError,
    "Cannot patch blocks.1.ln1.hook_scale: it is computed beside the result, so a change would reach nothing. Patch " +
      "blocks.1.ln1.hook_normalized",
  );
});

Deno.test("Model.forward() gives everything back when a patch function fails, wherever it is", async () => {
  for (const family of ["gptj", "qwen3"] as const) {
    using model = await loadSmall(gpu, family);
    using first = model.forward(A, { logits: "none" });
    const before = gpu.memory().live;
    const fail = (): never => {
      throw new Error("patch");
    };
    const hooks = ["hook_resid_pre", "ln1.hook_normalized", "attn.hook_k", "attn.hook_rot_q", "attn.hook_pattern"];
    for (const name of [...hooks, "attn.hook_z", "hook_attn_out", "mlp.hook_post", "hook_mlp_out", "hook_resid_post"]) {
      const hook = `blocks.3.${name}`;
      assertThrows(
        () => model.forward(A, { keep: ["blocks.2.mlp.hook_pre"], patch: { [hook]: fail } }),
        Error,
        "patch",
      );
      assertEquals([hook, gpu.memory().live], [hook, before]);
    }
    assertEquals(first.names, []);
  }
});

Deno.test("ActivationCache.get() gives what was kept, in its shape, and names it where something else is asked for", async () => {
  using model = await loadSmall(gpu);
  using cache = model.forward([A, B.slice(0, 2)], { keep: ["blocks.0.attn.hook_pattern"], logits: "none" });
  assertEquals(cache.names, ["blocks.0.attn.hook_pattern"]);
  assertEquals(cache.shape("blocks.0.attn.hook_pattern"), [2, 4, 6, 6]);
  assertStrictEquals(cache.logits, null);
  assertThrows(
    () => cache.get("hook_embed"),
    TypeError,
    'Cannot get "hook_embed": it was not kept. Add it to `keep` (kept: blocks.0.attn.hook_pattern)',
  );
});

Deno.test("Temps disposes all but what is held", () => {
  const held = gpu.zeros([1], "held");
  const temps = new Temps((tensor) => tensor === held);
  temps.add(held);
  const dropped = temps.add(gpu.zeros([1], "dropped"));
  temps[Symbol.dispose]();
  assertEquals([held.disposed, dropped.disposed], [false, true]);
  held.dispose();
});

Deno.test("hooks leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
