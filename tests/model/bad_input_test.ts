import { assertEquals, assertRejects } from "@std/assert";
import type { TensorToWrite } from "../../src/checkpoint/safetensors_writer.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { type ModelChange, withChangedModel } from "./model_files.ts";

const gpu = await Gpu.open();

/** A model folder that must be refused. */
interface Refused extends ModelChange {
  /** What is wrong with it. */
  what: string;
  /** Changes the folder after it was written. */
  folder?: (dir: string) => Promise<void>;
  /** Name of the error. */
  error: "FileError" | "TypeError" | "RangeError";
  /** Its whole message, DIR standing for the folder. */
  message: string;
}

const MATRIX = "transformer.h.2.mlp.fc_out.weight";
const WRONGLY = "The model would be computed wrongly, so it is refused: choose another model or correct the file";
const OTHER = "Config and weights are not of the same model";
const DAMAGED = "The file is damaged or of another model";

/** A change of one field of the config; undefined takes it away. */
function field(name: string, value: unknown): Pick<ModelChange, "config"> {
  return { config: (config) => value === undefined ? delete config[name] : config[name] = value };
}

/** A field whose value is refused because it would change the maths. */
function refusedField(family: "gptj" | "qwen3", name: string, value: unknown, found: string, wanted: string): Refused {
  const message = `Cannot use DIR/config.json: field ${found}, wanted ${wanted}. ${WRONGLY}`;
  return { what: `${family} with field ${found}`, family, ...field(name, value), error: "TypeError", message };
}

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

const CONFIGS: Refused[] = [
  {
    what: "an unknown family",
    ...field("model_type", "opt"),
    error: "TypeError",
    message:
      'Cannot use DIR/config.json: found model_type "opt", wanted one of gpt2, gptj, gpt_neox, llama, mistral, ' +
      "phi3, qwen2, qwen3. Choose a model of a supported family",
  },
  {
    what: "no family",
    ...field("model_type", undefined),
    error: "TypeError",
    message: "Cannot use DIR/config.json: found no model_type, wanted one of gpt2, gptj, gpt_neox, llama, mistral, " +
      "phi3, qwen2, qwen3. Choose a model of a supported family",
  },
  ...([
    ["mixtral", "a mixture of experts"],
    ["qwen3_moe", "a mixture of experts"],
    ["qwen2_5_vl", "multimodal"],
    ["llava_next", "multimodal"],
    ["mamba", "a recurrent model"],
    [
      "gemma3_text",
      "Gemma, whose norms add one to their weights and stand after attention and MLP too, with scaled embeddings and " +
      "two rotary bases",
    ],
  ] as const).map(([type, why]): Refused => ({
    what: `model_type ${type}`,
    ...field("model_type", type),
    error: "TypeError",
    message: `Cannot use DIR/config.json: found model_type "${type}", ${why}, wanted a dense text model. ` +
      "Choose a model of a supported family",
  })),
  ...([["num_local_experts", 8, "a mixture of experts"], ["vision_config", {}, "multimodal"]] as const).map((
    [name, value, why],
  ): Refused => ({
    what: `the field ${name}`,
    ...field(name, value),
    error: "TypeError",
    message: `Cannot use DIR/config.json: found the field ${name}, as of ${why}, wanted a dense text model. ` +
      "Choose a model of a supported family",
  })),
  ...["gptq", "awq", "bitsandbytes"].map((method): Refused => ({
    what: `weights quantised by ${method}`,
    ...field("quantization_config", { quant_method: method, bits: 4 }),
    error: "TypeError",
    message: `Cannot use DIR/config.json: found weights quantised by "${method}", wanted F32, F16 or BF16 weights. ` +
      "Take the model before quantisation, or a GGUF file of it",
  })),
  {
    what: "weights quantised by nobody knows what",
    ...field("quantization_config", { bits: 4 }),
    error: "TypeError",
    message: "Cannot use DIR/config.json: found weights quantised by an unnamed method, wanted F32, F16 or BF16 " +
      "weights. Take the model before quantisation, or a GGUF file of it",
  },
  refusedField(
    "gptj",
    "activation_function",
    "relu",
    'activation_function is "relu"',
    '"gelu_new" or "gelu" or "gelu_fast" or "gelu_pytorch_tanh"',
  ),
  refusedField("gptj", "rope_scaling", { type: "linear" }, 'rope_scaling is {"type":"linear"}', "null"),
  refusedField("gptj", "tie_word_embeddings", true, "tie_word_embeddings is true", "false"),
  refusedField("gptj", "scale_attn_weights", false, "scale_attn_weights is false", "true"),
  refusedField("gptj", "rotary_dim", undefined, "rotary_dim is missing", "a value of type number"),
  refusedField("gptj", "n_embd", "48", 'n_embd is "48"', "a value of type number"),
  refusedField("gptj", "layer_norm_epsilon", 0, "layer_norm_epsilon is 0", "a number above 0"),
  refusedField(
    "qwen3",
    "layer_types",
    ["full_attention", "chunked_attention"],
    'layer_types.1 is "chunked_attention"',
    '"full_attention" or "sliding_attention"',
  ),
  {
    what: "windowed layers without a window",
    family: "qwen3",
    ...field("layer_types", ["full_attention", "sliding_attention"]),
    error: "TypeError",
    message: 'Cannot use DIR/config.json: field layer_types has "sliding_attention" layers, wanted a number as ' +
      `sliding_window. ${WRONGLY}`,
  },
  refusedField("qwen3", "hidden_act", "gelu", 'hidden_act is "gelu"', '"silu"'),
  refusedField(
    "qwen3",
    "rope_scaling",
    { type: "yarn", factor: 4 },
    'rope_scaling.type is "yarn"',
    '"default" or "linear" or "llama3"',
  ),
  refusedField(
    "qwen3",
    "rope_parameters",
    { rope_theta: 10000, rope_type: "longrope" },
    'rope_parameters.rope_type is "longrope"',
    '"default" or "linear" or "llama3"',
  ),
  refusedField(
    "qwen3",
    "rope_scaling",
    { rope_type: "llama3", factor: 8 },
    "rope_scaling.low_freq_factor is missing",
    'a number for scaling of type "llama3"',
  ),
  {
    what: "turned features that do not fit a head",
    ...field("rotary_dim", 14),
    error: "TypeError",
    message:
      `Cannot use DIR/config.json: found 14 turned features in heads of 12, wanted an even number of at most 12. ${DAMAGED}`,
  },
  {
    what: "heads that do not divide the width",
    ...field("n_head", 5),
    error: "TypeError",
    message: `Cannot use DIR/config.json: found 5 heads for a width of 48, wanted a divisor. ${DAMAGED}`,
  },
  {
    what: "heads that do not share key heads evenly",
    family: "qwen3",
    ...field("num_key_value_heads", 3),
    error: "TypeError",
    message: `Cannot use DIR/config.json: found 4 heads on 3 key/value heads, wanted a multiple. ${DAMAGED}`,
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

for (const { what, folder, error, message, ...change } of [...FOLDERS, ...CONFIGS, ...WEIGHTS]) {
  Deno.test(`loadModel() refuses ${what}`, async () => {
    await withChangedModel(change, async (dir) => {
      await folder?.(dir);
      const refused = await assertRejects(() => loadModel(gpu, dir)) as Error;
      assertEquals([refused.name, refused.message.replaceAll(dir, "DIR")], [error, message]);
    });
    assertEquals(gpu.memory().live, 0);
  });
}

Deno.test("refused models leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
