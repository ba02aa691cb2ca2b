import type { TensorToWrite } from "../../src/checkpoint/safetensors_writer.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { ModelChange } from "./model_files.ts";
import { field, type Refused, testRefusals } from "./refusals.ts";

const gpu = await Gpu.open();

const MATRIX = "transformer.h.2.mlp.fc_out.weight";
const OTHER = "Config and weights are not of the same model";

/** A change of one tensor. */
function tensor(
  change: (tensors: Map<string, TensorToWrite>, matrix: TensorToWrite) => void,
): Pick<ModelChange, "tensors"> {
  return { tensors: (tensors) => change(tensors, tensors.get(MATRIX)!) };
}

const FOLDERS: Refused[] = [
  {
    what: "no config",
    folder: (dir) => Deno.remove(`${dir}/config.json`),
    error: "FileError",
    message: "Cannot open DIR: it holds no config.json, wanted a model folder in Hugging Face layout; check the path",
  },
  {
    what: "a config that is no JSON",
    folder: (dir) => Deno.writeTextFile(`${dir}/config.json`, "{"),
    error: "FileError",
    message:
      "Cannot read DIR/config.json: found text that is no JSON (Expected property name or '}' in JSON at position 1 " +
      "(line 1 column 2)); fetch or write it again",
  },
  {
    what: "no weights",
    folder: (dir) => Deno.remove(`${dir}/model.safetensors`),
    error: "FileError",
    message:
      "Cannot open DIR: it holds no weights, wanted model.safetensors or model.safetensors.index.json; fetch the " +
      "safetensors weights of the model",
  },
  {
    what: "an index that names a missing shard",
    folder: async (dir) => {
      await Deno.rename(`${dir}/model.safetensors`, `${dir}/model-1.safetensors`);
      const map = { "transformer.wte.weight": "model-1.safetensors", "lm_head.weight": "model-2.safetensors" };
      await Deno.writeTextFile(`${dir}/model.safetensors.index.json`, JSON.stringify({ weight_map: map }));
    },
    error: "FileError",
    message:
      'Cannot open DIR: the index puts tensor "lm_head.weight" in model-2.safetensors, which is not in the folder; ' +
      "fetch the missing file",
  },
  {
    what: "no tokenizer",
    folder: (dir) => Deno.remove(`${dir}/tokenizer.json`),
    error: "FileError",
    message:
      "Cannot read DIR/tokenizer.json: there is no such file; fetch tokenizer.json of the model into DIR, or convert " +
      'an older tokenizer with Python: AutoTokenizer.from_pretrained("DIR").save_pretrained("DIR")',
  },
  {
    what: "weights that were cut off",
    tensors: () => {},
    folder: (dir) => Deno.truncate(`${dir}/model.safetensors`, 1000),
    error: "FileError",
    message:
      "Cannot read DIR/model.safetensors: its header claims 6200 bytes, but the file holds 1000 in all; the file is " +
      "truncated: fetch or write the file again",
  },
];

const WEIGHTS: Refused[] = [
  {
    what: "a config with more layers than the weights",
    ...field("n_layer", 7),
    error: "TypeError",
    message: 'Cannot load DIR: tensor "transformer.h.6.ln_1.weight" is missing, wanted [48]. Fetch the model again',
  },
  {
    what: "a config with fewer layers than the weights",
    ...field("n_layer", 5),
    error: "TypeError",
    message:
      'Cannot load DIR: tensor "transformer.h.5.attn.k_proj.weight" is not part of a gptj model with 5 layers. ' +
      OTHER,
  },
  {
    what: "a config of another width",
    ...field("n_embd", 40),
    error: "TypeError",
    message:
      `Cannot load DIR: tensor "transformer.wte.weight" has shape [2560, 48], wanted [2560, 40] by config.json. ${OTHER}`,
  },
  {
    what: "a config with other key heads",
    family: "qwen3",
    ...field("num_key_value_heads", 4),
    error: "TypeError",
    message:
      'Cannot load DIR: tensor "model.layers.0.self_attn.k_proj.weight" has shape [32, 48], wanted [64, 48] by ' +
      `config.json. ${OTHER}`,
  },
  {
    what: "a vocabulary below the tokenizer's",
    ...field("vocab_size", 2000),
    error: "TypeError",
    message: "Cannot load DIR: the tokenizer has 2560 tokens, the model 2000. The tokenizer belongs to another model",
  },
  {
    what: "a missing tensor",
    ...tensor((tensors) => tensors.delete(MATRIX)),
    error: "TypeError",
    message: `Cannot load DIR: tensor "${MATRIX}" is missing, wanted [48, 96]. Fetch the model again`,
  },
  {
    what: "a tensor too many",
    ...tensor((tensors, matrix) => tensors.set("extra.weight", { ...matrix, name: "extra.weight" })),
    error: "TypeError",
    message: `Cannot load DIR: tensor "extra.weight" is not part of a gptj model with 6 layers. ${OTHER}`,
  },
  {
    what: "a tensor of another shape",
    ...tensor((tensors, matrix) => tensors.set(MATRIX, { ...matrix, shape: [96, 48] })),
    error: "TypeError",
    message: `Cannot load DIR: tensor "${MATRIX}" has shape [96, 48], wanted [48, 96] by config.json. ${OTHER}`,
  },
  {
    what: "a tensor of another type",
    ...tensor((tensors, matrix) => tensors.set(MATRIX, { ...matrix, dtype: "I32" })),
    error: "TypeError",
    message: `Cannot load DIR: tensor "${MATRIX}" is I32, wanted F32, F16 or BF16. Convert the model first`,
  },
  {
    what: "weights that are no numbers",
    ...tensor((_, { data }) => new Float32Array(data.buffer as ArrayBuffer, data.byteOffset, 2).set([NaN, -Infinity])),
    error: "TypeError",
    message: `Cannot load DIR: tensor "${MATRIX}" holds 2 values that are NaN or infinite, wanted none. The file is ` +
      "damaged or was saved from a failed run",
  },
];

testRefusals(gpu, [...FOLDERS, ...WEIGHTS]);
