import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { EDITING, loadSmall, TOKENIZER } from "./model_files.ts";

const gpu = await Gpu.open();

Deno.test("loadModel() refuses a model that is larger than the memory, before it loads anything", async () => {
  using small = await Gpu.open({ maxBytes: 1_000_000 });
  const dir = `${EDITING}/gptj`;
  const progress: number[] = [];
  const error = await assertRejects(
    () => loadModel(small, dir, { tokenizer: TOKENIZER, onProgress: (bytes) => progress.push(bytes) }),
    RangeError,
  );
  using model = await loadSmall(gpu);
  // What the estimate says is what the weights take once they are loaded.
  const wanted = gpu.memory().live;
  assertEquals(
    error.message,
    `Cannot load ${dir}: its weights take ${wanted} bytes on the GPU and 1000000 are available on ` +
      `${small.adapterName}. Use a smaller model or close others`,
  );
  assertEquals([progress, small.memory().peak, model.config.nLayers], [[], 0, 6]);
});

Deno.test("loadModel() takes a model that just fits", async () => {
  let bytes: number;
  {
    using model = await loadSmall(gpu);
    bytes = gpu.memory().live;
    assertEquals(model.config.nLayers, 6);
  }
  using exact = await Gpu.open({ maxBytes: bytes });
  using model = await loadSmall(exact);
  assertEquals([exact.memory().live, model.config.nLayers], [bytes, 6]);
  using tight = await Gpu.open({ maxBytes: bytes - 1 });
  await assertRejects(() => loadSmall(tight), RangeError, "Use a smaller model");
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
