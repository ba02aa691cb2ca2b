import { Gpu } from "../../src/gpu/gpu.ts";
import { field, type Refused, testRefusals } from "./refusals.ts";

const gpu = await Gpu.open();

const WRONGLY = "The model would be computed wrongly, so it is refused: choose another model or correct the file";
const DAMAGED = "The file is damaged or of another model";

/** A field whose value is refused because it would change the maths. */
function refusedField(family: "gptj" | "qwen3", name: string, value: unknown, found: string, wanted: string): Refused {
  const message = `Cannot use DIR/config.json: field ${found}, wanted ${wanted}. ${WRONGLY}`;
  return { what: `${family} with field ${found}`, family, ...field(name, value), error: "TypeError", message };
}

/** A field that other models have and this family does not. */
function foreignField(family: "gptj" | "qwen3", name: string, value: unknown, wanted: string): Refused {
  const nothing = `${wanted}: nothing else is computed for this family`;
  return refusedField(family, name, value, `${name} is ${JSON.stringify(value)}`, nothing);
}

const CONFIGS: Refused[] = [
  foreignField("qwen3", "logit_scale", 0.0625, "1 or none"),
  foreignField("qwen3", "logits_scaling", 8, "1 or none"),
  foreignField("qwen3", "final_logit_softcapping", 30, "none"),
  foreignField("qwen3", "attn_logit_softcapping", 50, "none"),
  foreignField("qwen3", "embedding_multiplier", 12, "1 or none"),
  foreignField("qwen3", "residual_multiplier", 0.22, "1 or none"),
  foreignField("qwen3", "attention_multiplier", 0.0078125, "0.25 or none"),
  foreignField("qwen3", "is_causal", false, "true or none"),
  foreignField("qwen3", "clip_qkv", 8, "none"),
  foreignField("qwen3", "no_rope_layers", [1, 0], "1 or none"),
  foreignField("gptj", "sliding_window", 16, "none"),
  foreignField("gptj", "layer_types", ["full_attention", "sliding_attention"], '"full_attention" or none'),
  foreignField("gptj", "use_qk_norm", true, "false or none"),
  foreignField("qwen3", "scale_attn_weights", false, "true or none"),
  foreignField("qwen3", "use_qk_norm", false, "true or none"),
  foreignField("qwen3", "hidden_activation", "gelu", '"silu" or "swish" or none'),
  foreignField("qwen3", "per_layer_config", { 1: { sliding_window: 16 } }, "none"),
  foreignField("gptj", "rope_theta", 500000, "10000 or none"),
  foreignField("gptj", "rotary_emb_base", 1000000, "10000 or none"),
  foreignField("gptj", "rope_scaling", { type: "linear" }, "none"),
  foreignField("gptj", "num_key_value_heads", 2, "4 or none"),
  {
    what: "more layers than any model",
    ...field("n_layer", 1e9),
    error: "TypeError",
    message: `Cannot use DIR/config.json: found 1000000000 layers, wanted at most 10000. ${DAMAGED}`,
  },
  {
    what: "an unknown family of a long name",
    ...field("model_type", "x".repeat(1000)),
    error: "TypeError",
    message:
      `Cannot use DIR/config.json: found model_type "${"x".repeat(59)}..., wanted one of gpt2, gptj, gpt_neox, ` +
      "llama, mistral, phi3, qwen2, qwen3. Choose a model of a supported family",
  },
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
    ["qwen2_audio", "multimodal"],
    ["internvl_chat", "multimodal"],
    ["phi4mm", "multimodal"],
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
  ...([
    ["num_local_experts", 8, "a mixture of experts"],
    ["n_routed_experts", 64, "a mixture of experts"],
    ["moe_num_experts", [64, 64], "a mixture of experts"],
    ["vision_config", {}, "multimodal"],
    ["audio_config", {}, "multimodal"],
  ] as const).map(([name, value, why]): Refused => ({
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
    what: "weights quantised by bitsandbytes as older files say it",
    ...field("quantization_config", { load_in_8bit: true }),
    error: "TypeError",
    message:
      'Cannot use DIR/config.json: found weights quantised by "bitsandbytes", wanted F32, F16 or BF16 weights. ' +
      "Take the model before quantisation, or a GGUF file of it",
  },
  {
    what: "weights quantised by nobody knows what",
    ...field("quantization_config", { bits: 4 }),
    error: "TypeError",
    message: "Cannot use DIR/config.json: found weights quantised by an unnamed method, wanted F32, F16 or BF16 " +
      "weights. Take the model before quantisation, or a GGUF file of it",
  },
  ...[
    ["quantize_config.json", { bits: 4, group_size: 128, desc_act: false }, "gptq"],
    ["quant_config.json", { zero_point: true, q_group_size: 128, w_bit: 4, version: "GEMM" }, "awq"],
    ["quantize_config.json", { quant_method: "marlin" }, "marlin"],
  ].map(([file, content, method]): Refused => ({
    what: `weights quantised by ${method} by the word of ${file}`,
    // Its weights are never looked for: GPTQ's have names of their own.
    folder: async (dir) => {
      await Deno.writeTextFile(`${dir}/${file}`, JSON.stringify(content));
      await Deno.remove(`${dir}/model.safetensors`);
    },
    error: "FileError",
    message: `Cannot use DIR/${file}: found weights quantised by "${method}", wanted F32, F16 or BF16 weights; ` +
      "take the model before quantisation, or a GGUF file of it",
  })),
  refusedField(
    "gptj",
    "activation_function",
    "relu",
    'activation_function is "relu"',
    '"gelu_new" or "gelu" or "gelu_fast" or "gelu_pytorch_tanh"',
  ),
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
  refusedField("qwen3", "partial_rotary_factor", 0.5, "partial_rotary_factor is 0.5", "1"),
  refusedField(
    "qwen3",
    "rope_parameters",
    { rope_theta: 10000, partial_rotary_factor: 0.5 },
    "rope_parameters.partial_rotary_factor is 0.5",
    "1",
  ),
  refusedField(
    "qwen3",
    "rope_parameters",
    { rope_theta: 10000, type: "dynamic" },
    'rope_parameters.type is "dynamic"',
    '"default" or "linear" or "llama3"',
  ),
  {
    what: "Llama 3 scaling with its bounds in the wrong order",
    family: "qwen3",
    ...field("rope_scaling", {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 4,
      high_freq_factor: 1,
      original_max_position_embeddings: 64,
    }),
    error: "TypeError",
    message:
      "Cannot use DIR/config.json: field rope_scaling.high_freq_factor is 1, wanted more than low_freq_factor, " +
      "which is 4. Choose another model or correct the file",
  },
  {
    what: "Llama 3 scaling with another length beside it",
    family: "qwen3",
    config: (config) => {
      config["original_max_position_embeddings"] = 128;
      config["rope_scaling"] = {
        rope_type: "llama3",
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      };
    },
    error: "TypeError",
    message:
      "Cannot use DIR/config.json: field original_max_position_embeddings is 128, wanted that of rope_scaling (64) or " +
      "none. The model would be computed wrongly, so it is refused: choose another model or correct the file",
  },
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

testRefusals(gpu, CONFIGS);
