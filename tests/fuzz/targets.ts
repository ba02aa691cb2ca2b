/**
 * Every reader of what comes from outside, under damaged input.
 *
 * @module
 */
import { join } from "node:path";
import { INDEX_FILE, openCheckpoint } from "../../src/checkpoint/checkpoint_folder.ts";
import { GgufFile } from "../../src/checkpoint/gguf_file.ts";
import { parseGgufHeader } from "../../src/checkpoint/gguf_header.ts";
import { plainMetadata } from "../../src/checkpoint/gguf_metadata.ts";
import { GgufWeights } from "../../src/checkpoint/gguf_weights.ts";
import { parseHeader, parseHeaderLength } from "../../src/checkpoint/safetensors_header.ts";
import { Facts } from "../../src/editing/facts.ts";
import { readRequests } from "../../src/editing/requests.ts";
import { loadMquake } from "../../src/evaluation/mquake.ts";
import { ARCHITECTURES, readModelConfig } from "../../src/model/architectures.ts";
import { loadConfig } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { rawFile } from "../checkpoint/files.ts";
import { memorySource, rawGguf } from "../checkpoint/gguf_files.ts";
import { FULL } from "../checkpoint/gguf_headers.ts";
import { smallGguf } from "../checkpoint/gguf_models.ts";
import { SMALL_FOLDERS } from "../model/family_models.ts";
import { jsonBytes, jsonTarget } from "./json_files.ts";
import { mutatedBytes } from "./mutations.ts";
import { patchTarget } from "./patch_target.ts";
import { type FuzzTarget, target } from "./target.ts";
import { tokenizerTargets } from "./tokenizer_targets.ts";

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

/** The configs of all small models, by family. */
async function configs(dir: string): Promise<FuzzTarget[]> {
  const folder = join(dir, "config");
  await Deno.mkdir(folder);
  const path = join(folder, "config.json");
  const files = await Promise.all(Object.values(SMALL_FOLDERS).map((from) => Deno.readFile(join(from, "config.json"))));
  const familyOf = (bytes: Uint8Array): string => JSON.parse(new TextDecoder().decode(bytes)).model_type;
  return Object.keys(ARCHITECTURES).map((family) =>
    jsonTarget(`config ${family}`, path, files.filter((bytes) => familyOf(bytes) === family), async () => {
      const { nLayers, dModel, nHeads, vocab, eps } = await loadConfig(folder);
      for (const size of [nLayers, dModel, nHeads, vocab]) {
        if (!Number.isInteger(size) || size <= 0) throw new Error(`A size of ${size} was accepted`);
      }
      if (!(eps > 0)) throw new Error(`An epsilon of ${eps} was accepted`);
    }, /^Cannot use \S+config\.json: /)
  );
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
  return jsonTarget("index", join(folder, INDEX_FILE), [jsonBytes(json)], async () => {
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
  return jsonTarget("requests", path, [jsonBytes(json)], () => readRequests(path), /^Cannot /);
}

/**
 * All targets.
 *
 * @param dir Folder for readers that want files.
 * @param model A model that patch files are read for.
 */
export async function fuzzTargets(dir: string, model: Model): Promise<FuzzTarget[]> {
  const mquake = JSON.parse(await Deno.readTextFile("fixtures/landmarks/mquake.json")).slice(0, 1);
  const [facts, cases] = [join(dir, "facts.json"), join(dir, "cases.json")];
  return [
    safetensorsHeader(),
    ...gguf(),
    ...await configs(dir),
    await index(dir),
    jsonTarget("facts", facts, [jsonBytes(FACTS)], () => Facts.load(facts)),
    requests(dir),
    jsonTarget("cases", cases, [jsonBytes(mquake)], () => loadMquake(cases)),
    patchTarget(dir, model),
    ...await tokenizerTargets(dir),
  ];
}
