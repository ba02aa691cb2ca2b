/**
 * Every reader of what comes from outside, under damaged input.
 *
 * @module
 */
import { join } from "node:path";
import { openCheckpoint } from "../../src/checkpoint/checkpoint_folder.ts";
import { GgufFile } from "../../src/checkpoint/gguf_file.ts";
import { parseGgufHeader } from "../../src/checkpoint/gguf_header.ts";
import { plainMetadata } from "../../src/checkpoint/gguf_metadata.ts";
import { GgufWeights } from "../../src/checkpoint/gguf_weights.ts";
import { parseHeader, parseHeaderLength } from "../../src/checkpoint/safetensors_header.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { Facts } from "../../src/editing/facts.ts";
import { loadEdit } from "../../src/editing/patch_file.ts";
import { readRequests } from "../../src/editing/requests.ts";
import { parseMquake } from "../../src/evaluation/mquake.ts";
import { readModelConfig } from "../../src/model/architectures.ts";
import type { Model } from "../../src/model/model.ts";
import { rawFile } from "../checkpoint/files.ts";
import { memorySource, rawGguf } from "../checkpoint/gguf_files.ts";
import { FULL } from "../checkpoint/gguf_headers.ts";
import { smallGguf } from "../checkpoint/gguf_models.ts";
import { mutatedBytes, mutatedJson } from "./mutations.ts";
import { type FuzzTarget, target } from "./target.ts";
import { tokenizerTargets } from "./tokenizer_targets.ts";

const readJson = async (path: string): Promise<unknown> => JSON.parse(await Deno.readTextFile(path));

const SAFETENSORS = rawFile({
  __metadata__: { format: "pt" },
  a: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
  b: { dtype: "BF16", shape: [4], data_offsets: [24, 32] },
}, 32);

function safetensorsHeader(): FuzzTarget {
  return target("safetensors", mutatedBytes(SAFETENSORS), (bytes) => {
    const length = parseHeaderLength("x.safetensors", bytes.subarray(0, 8), bytes.length);
    const { tensors } = parseHeader("x.safetensors", bytes.subarray(8, 8 + length), bytes.length);
    // What was accepted lies inside the file.
    for (const { start, byteLength } of tensors.values()) {
      if (start + byteLength > bytes.length) {
        throw new Error(`A tensor ends at ${start + byteLength} of ${bytes.length}`);
      }
    }
  }, { size: (bytes) => bytes.length });
}

/** A header with every type of value, and a whole small model up to the last byte of its weights. */
function gguf(): FuzzTarget[] {
  const inside = (bytes: Uint8Array, start: number, byteLength: number): void => {
    if (start + byteLength > bytes.length) throw new Error(`A tensor ends at ${start + byteLength} of ${bytes.length}`);
  };
  const header = target("gguf header", mutatedBytes(rawGguf(FULL)), (bytes) => {
    const found = parseGgufHeader("x.gguf", bytes);
    if (found === null) throw new Error("More was wanted of a whole file");
    for (const { start, byteLength } of found.tensors.values()) inside(bytes, start, byteLength);
    plainMetadata(found.metadata);
  }, { size: (bytes) => bytes.length });
  const norm = { dims: [4] };
  const small = smallGguf({
    architecture: "qwen3",
    tensors: { "blk.0.attn_q_norm.weight": norm, "blk.0.attn_k_norm.weight": norm },
  });
  const model = target("gguf model", mutatedBytes(rawGguf(small)), async (bytes) => {
    using weights = await GgufWeights.from(await GgufFile.from(memorySource(bytes)));
    readModelConfig(weights.config, "x.gguf");
    for (const name of weights.tensors.keys()) for await (const _ of weights.chunks(name, 4096));
  }, { ours: /^Cannot use x\.gguf: /, size: (bytes) => bytes.length });
  return [header, model];
}

async function config(name: string): Promise<FuzzTarget> {
  const json = await readJson(`fixtures/goldens/attribution/${name}/config.json`);
  return target(`config ${name}`, mutatedJson(json), (value) => {
    const { nLayers, dModel, nHeads, vocab, eps } = readModelConfig(value, "config.json");
    for (const size of [nLayers, dModel, nHeads, vocab]) {
      if (!Number.isInteger(size) || size <= 0) throw new Error(`A size of ${size} was accepted`);
    }
    if (!(eps > 0)) throw new Error(`An epsilon of ${eps} was accepted`);
  }, { ours: /^Cannot use config\.json: / });
}

async function index(dir: string): Promise<FuzzTarget> {
  const folder = join(dir, "sharded");
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, "config.json"), "{}");
  for (const shard of ["a", "b"]) {
    const bytes = rawFile({ [shard]: { dtype: "I8", shape: [1], data_offsets: [0, 1] } }, 1);
    await Deno.writeFile(join(folder, `${shard}.safetensors`), bytes);
  }
  const json = { metadata: { total_size: 2 }, weight_map: { a: "a.safetensors", b: "b.safetensors" } };
  return target("index", mutatedJson(json), async (value) => {
    await Deno.writeTextFile(join(folder, "model.safetensors.index.json"), JSON.stringify(value) ?? "");
    using _checkpoint = await openCheckpoint(folder);
  });
}

const FACTS = {
  relations: {
    country: { cloze: ["{} is in", "{} lies in"], question: ["Where is {}?"], description: "the country of {}" },
    capital: { cloze: ["The capital of {} is"], question: [], description: "the capital of {}" },
  },
  facts: { country: [["Lyon", "France"], ["Pisa", "Italy"]], capital: [["France", "Paris"], ["Italy", "Rome"]] },
  chains: [{ subject: "Lyon", relations: ["country", "capital"], entities: ["Lyon", "France", "Paris"] }],
};

function requests(dir: string): FuzzTarget {
  const path = join(dir, "requests.json");
  const json = [{ prompt: "The capital of {} is", subject: "France", target: "Berlin" }];
  return target("requests", mutatedJson(json), async (value) => {
    await Deno.writeTextFile(path, JSON.stringify(value) ?? "");
    await readRequests(path);
  }, { ours: /^Cannot / });
}

/** A patch file of one factor pair, as `edit --save` writes it. */
async function patch(dir: string, model: Model): Promise<FuzzTarget> {
  const path = join(dir, "patch.safetensors");
  const { dModel, dMlp } = model.config;
  const record = { method: "ace", mode: "chain", modelHash: model.hash, model: model.dir, requests: [] };
  const metadata = { format: "ace-webgpu edit", version: "1", record: JSON.stringify(record), norms: "[]" };
  await writeSafetensors(path, [
    { name: "blocks.1.mlp.W_out.left", dtype: "F32", shape: [dModel, 1], data: new Float32Array(dModel).fill(0.5) },
    { name: "blocks.1.mlp.W_out.right", dtype: "F32", shape: [dMlp, 1], data: new Float32Array(dMlp).fill(0.5) },
  ], metadata);
  return target("patch", mutatedBytes(await Deno.readFile(path)), async (bytes) => {
    await Deno.writeFile(path, bytes);
    using _edit = await loadEdit(model, path);
  });
}

/**
 * All targets.
 *
 * @param dir Folder for readers that want files.
 * @param model A model that patch files are read for.
 */
export async function fuzzTargets(dir: string, model: Model): Promise<FuzzTarget[]> {
  const mquake = (await readJson("fixtures/landmarks/mquake.json") as unknown[]).slice(0, 1);
  return [
    safetensorsHeader(),
    ...gguf(),
    await config("gptj"),
    await config("qwen3"),
    await index(dir),
    target("facts", mutatedJson(FACTS), (value) => Facts.parse(value, "facts.json")),
    requests(dir),
    target("cases", mutatedJson(mquake), (value) => parseMquake(value, "cases.json")),
    await patch(dir, model),
    ...await tokenizerTargets(),
  ];
}
