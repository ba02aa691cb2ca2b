import { assertEquals, assertStringIncludes } from "@std/assert";
import { ARCHITECTURES } from "../../src/model/architectures.ts";
import { findGoldens, isGolden } from "../../src/evaluation/conformance/discover.ts";
import { checkGgufFile } from "../../src/evaluation/conformance/gguf.ts";
import { runConformance } from "../../src/evaluation/conformance/run_conformance.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withFolder } from "../checkpoint/files.ts";
import { assertHold } from "../model/golden_case.ts";

const GOLDENS = "fixtures/goldens/gguf";
const gpu = await Gpu.open();
const goldens = (await findGoldens(GOLDENS)).filter(isGolden);

Deno.test("findGoldens() finds a golden for every GGUF file beside a case", () => {
  assertEquals(
    goldens.map(({ name, kind }) => [name, kind]),
    ["bf16", "blocks", "f16", "f32", "q4_0", "q4_1", "q5_0", "q8_0"].map((name) => [`${name}.gguf`, "gguf"]),
  );
});

for (const { name, dir } of goldens) {
  // Files with a model need the architecture; the values of blocks do not.
  const ignore = name !== "blocks.gguf" && !Object.hasOwn(ARCHITECTURES, "llama");
  Deno.test({
    name: `checkGgufFile() finds every value and logit of ${name} within tolerance`,
    ignore,
    fn: async () => {
      const { checks } = await checkGgufFile(gpu, dir);
      assertHold(checks, name === "blocks.gguf" ? 25 : 43);
    },
  });
}

/** Copies the golden of blocks under another name, with a change to its bytes. */
async function withBlocks(change: (bytes: Uint8Array) => void, body: (dir: string) => Promise<void>): Promise<void> {
  await withFolder(async (dir) => {
    const bytes = await Deno.readFile(`${GOLDENS}/blocks.gguf`);
    change(bytes);
    await Deno.writeFile(`${dir}/other.gguf`, bytes);
    await Deno.copyFile(`${GOLDENS}/blocks.dequantised.safetensors`, `${dir}/other.dequantised.safetensors`);
    await Deno.copyFile(`${GOLDENS}/logits.safetensors`, `${dir}/logits.safetensors`);
    await Deno.copyFile(`${GOLDENS}/case.json`, `${dir}/case.json`);
    await body(dir);
  });
}

Deno.test("checkGgufFile() finds one changed byte of a block", async () => {
  await withBlocks((bytes) => bytes[bytes.length - 20]! ^= 1, async (dir) => {
    const { checks } = await checkGgufFile(gpu, `${dir}/other.gguf`);
    const failed = checks.filter(({ error, tolerance }) => !(error <= tolerance)).map(({ what }) => what);
    assertEquals(failed, ["random.iq4_xs (IQ4_XS)"]);
  });
});

Deno.test("runConformance() fails files that the case lists and the folder lacks", async () => {
  await withBlocks(() => {}, async (dir) => {
    const outcomes = await runConformance(gpu, dir);
    const passed = outcomes.filter(({ status }) => status === "passed").map(({ name }) => name);
    assertEquals([passed, outcomes.length], [["other.gguf"], 8]);
    assertStringIncludes(outcomes.find(({ name }) => name === "q4_0.gguf")!.reason!, "there is no such file or folder");
  });
});

Deno.test("checkGgufFile() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
