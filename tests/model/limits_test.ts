import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadConfig, loadModel } from "../../src/model/load_model.ts";
import { activationBytes, cacheBytes, checkMemory } from "../../src/model/memory.ts";
import { EDITING, loadSmall, TOKENIZER } from "./model_files.ts";

const gpu = await Gpu.open();

/** What a prompt as long as the context of the small GPT-J, 128 tokens, takes beyond the weights. */
async function promptBytes(): Promise<{ cache: number; activations: number }> {
  const config = await loadConfig(`${EDITING}/gptj`);
  return { cache: cacheBytes(config, 128), activations: activationBytes(config, 128, 1) };
}

Deno.test("loadModel() refuses a model that does not fit with a usual prompt, before it loads anything", async () => {
  const dir = `${EDITING}/gptj`;
  let weights: number;
  {
    using model = await loadSmall(gpu);
    // What the estimate says is what the weights take once they are loaded.
    weights = gpu.memory().live;
    assertEquals(model.config.nLayers, 6);
  }
  const { cache, activations } = await promptBytes();
  const needed = weights + cache + activations;
  for (const maxBytes of [1_000_000, weights, needed - 1]) {
    using small = await Gpu.open({ maxBytes });
    const progress: number[] = [];
    const { message } = await assertRejects(
      () => loadModel(small, dir, { tokenizer: TOKENIZER, onProgress: (bytes) => progress.push(bytes) }),
      RangeError,
    );
    assertEquals(
      message,
      `Cannot load ${dir}: it takes ${needed} bytes on the GPU (${weights} for weights; for 128 tokens ${cache} for keys ` +
        `and values and ${activations} for activations) and ${maxBytes} are available on ${small.adapterName}. Use a ` +
        "smaller model, close others or allow more memory",
    );
    assertEquals([progress, small.memory().peak], [[], 0]);
  }
  using exact = await Gpu.open({ maxBytes: needed });
  using model = await loadSmall(exact);
  assertEquals([exact.memory().live, model.config.nLayers], [weights, 6]);
});

Deno.test("loadModel() counts no longer prompt than usual where the context holds more", async () => {
  const config = await loadConfig("fixtures/configs/qwen3-8b");
  using small = await Gpu.open({ maxBytes: 1e9 });
  const { message } = assertThrows(() => checkMemory("a model", config, 1e9, small), RangeError);
  assertStringIncludes(message, "for 256 tokens 75497472 for keys and values");
});

Deno.test("Model refuses prompts and tokens that it cannot run on", async () => {
  using model = await loadSmall(gpu);
  const refuse = (run: () => unknown, message: string): void => {
    assertEquals((assertThrows(run, RangeError) as Error).message, message);
  };
  refuse(() => model.tokens(""), "Cannot run the model on an empty prompt: give at least one token of text");
  refuse(
    () => model.tokens("The ".repeat(300)),
    'Cannot run the model on "The The The The The The The The The The ": found 301 tokens, the context holds 128. ' +
      "Shorten the prompt",
  );
  const empty = "Cannot run the model on an empty prompt: give at least one token of text";
  refuse(() => model.forward([]), empty);
  refuse(() => model.forward([[1, 2], []]), empty);
  refuse(
    () => model.forward(new Array<number>(129).fill(1)),
    'Cannot run the model on "the prompt": found 129 tokens, the context holds 128. Shorten the prompt',
  );
  for (const token of [2560, -1, 1.5]) {
    const message = `Cannot run the model on token ${token}: the vocabulary has ids 0 to 2559`;
    refuse(() => model.forward([1, token]), message);
    refuse(() => model.gradients([1], token, ["blocks.0.hook_mlp_out"]), message);
  }
});

Deno.test(
  "Gpu.open() says what to install where there is no adapter",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    // A loader without drivers finds no adapter.
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", 'import { Gpu } from "./src/gpu/gpu.ts"; await Gpu.open();'],
      env: { DENO_WEBGPU_BACKEND: "vulkan", VK_ICD_FILENAMES: "/nowhere.json", VK_DRIVER_FILES: "/nowhere.json" },
    }).output();
    assertEquals(success, false);
    assertStringIncludes(
      new TextDecoder().decode(stderr),
      "NoAdapterError: Cannot open a GPU: found no WebGPU adapter, wanted one. Install a Vulkan driver: that of the GPU's " +
        "maker, or Mesa's CPU driver with `sudo apt-get install libvulkan1 mesa-vulkan-drivers`, or let `sh scripts/up.sh " +
        "demo` do it",
    );
  },
);

Deno.test("limits leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
