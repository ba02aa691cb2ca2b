import { assertEquals, assertRejects } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { withFolder } from "../checkpoint/files.ts";
import { rawGguf, type RawTensor } from "../checkpoint/gguf_files.ts";
import { qwen3Gguf } from "./gguf_model.ts";
import { type ModelChange, TOKENIZER, withChangedModel } from "./model_files.ts";

const gpu = await Gpu.open();
const small = await Gpu.open({ maxBytes: 1_000_000 });

/** A piece of a file that was read: first byte and the byte after the last. */
type Piece = [start: number, end: number];

/** Runs `body` and gives the pieces that it reads of files through handles, as checkpoints are. */
async function piecesRead(body: () => Promise<unknown>): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const { read } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.read = async function (into) {
    const start = await this.seek(0, Deno.SeekMode.Current);
    const count = await read.call(this, into);
    if (count !== null) pieces.push([start, start + count]);
    return count;
  };
  try {
    await body();
  } finally {
    Deno.FsFile.prototype.read = read;
  }
  return pieces;
}

/** The last byte read, plus one. */
const reach = (pieces: readonly Piece[]): number => Math.max(...pieces.map(([, end]) => end));

/** Where the weights of a safetensors file start. */
async function weightsStart(path: string): Promise<number> {
  const bytes = await Deno.readFile(path);
  return 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
}

const MATRIX = "transformer.h.2.mlp.fc_out.weight";

/** What is wrong, the change that makes it so, the GPU that loads it and the error. */
const CASES: [what: string, change: ModelChange, gpu: Gpu, error: "TypeError" | "RangeError", message: string][] = [
  ["is too large for the memory", {}, small, "RangeError", "1000000 are available"],
  ["lacks a tensor", { tensors: (all) => all.delete(MATRIX) }, gpu, "TypeError", `"${MATRIX}" is missing`],
  [
    "has a tensor too many",
    { tensors: (all) => all.set("extra.weight", { ...all.get(MATRIX)!, name: "extra.weight" }) },
    gpu,
    "TypeError",
    '"extra.weight" is not part of',
  ],
  [
    "has a tensor of another shape",
    { tensors: (all) => all.set(MATRIX, { ...all.get(MATRIX)!, shape: [96, 48] }) },
    gpu,
    "TypeError",
    `"${MATRIX}" has shape [96, 48]`,
  ],
  [
    "has a field that changes the maths",
    { config: (config) => config["logit_scale"] = 0.0625 },
    gpu,
    "TypeError",
    "logit_scale is 0.0625",
  ],
];

for (const [what, change, device, error, message] of CASES) {
  Deno.test(`loadModel() refuses a model that ${what} before it reads a byte of its weights`, async () => {
    await withChangedModel(change, async (dir) => {
      const pieces = await piecesRead(async () => {
        const found = await assertRejects(() => loadModel(device, dir), Error, message);
        assertEquals(found.name, error);
      });
      assertEquals(reach(pieces), await weightsStart(`${dir}/model.safetensors`));
    });
  });
}

Deno.test("loadModel() reads a whole file that it does not refuse", async () => {
  await withChangedModel({}, async (dir) => {
    const pieces = await piecesRead(async () => {
      using model = await loadModel(gpu, dir);
      assertEquals(model.config.family, "gptj");
    });
    assertEquals(reach(pieces), (await Deno.stat(`${dir}/model.safetensors`)).size);
  });
});

/** What is wrong with a GGUF file, which of its tensors are there, the GPU that loads it and the error. */
const GGUF_CASES: [what: string, there: (tensor: RawTensor) => boolean, gpu: Gpu, message: string][] = [
  ["is too large for the memory", () => true, small, "1000000 are available"],
  ["lacks a tensor", ({ name }) => name !== "blk.3.ffn_up.weight", gpu, "is missing"],
];

for (const [what, there, device, message] of GGUF_CASES) {
  Deno.test(`loadModel() refuses a GGUF file that ${what} before it hashes its weights`, async () => {
    await withFolder(async (dir) => {
      const plain = await qwen3Gguf();
      const path = `${dir}/model.gguf`;
      await Deno.writeFile(path, rawGguf({ ...plain, tensors: plain.tensors!.filter(there) }));
      const pieces = await piecesRead(() =>
        assertRejects(() => loadModel(device, path, { tokenizer: TOKENIZER }), Error, message)
      );
      // The header is read from the start in one piece that may hold more, a weight from its own start.
      assertEquals(pieces.map(([start]) => start), [0]);
    });
  });
}

Deno.test("refused models leave no memory behind", () => {
  assertEquals([gpu.memory().live, small.memory().live], [0, 0]);
  gpu.close();
  small.close();
});
