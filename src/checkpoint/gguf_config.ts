/**
 * The config.json that a GGUF file stands for.
 *
 * @module
 */

import { FileError, quoteValue } from "./file_error.ts";
import { GgufFields } from "./gguf_fields.ts";
import type { GgufTensor } from "./gguf_layout.ts";
import type { GgufValue } from "./gguf_metadata.ts";
import { GGUF_ARCHITECTURES, type GgufArchitecture } from "./gguf_names.ts";
import { scalingOfFactors, scalingOfFields } from "./gguf_rope.ts";

/** Sizes of heads, which the order of rows depends on, and the whole config. */
export interface GgufConfig {
  /** Query heads. */
  readonly nHeads: number;
  /** Key and value heads. */
  readonly nKvHeads: number;
  /** Width of a head. */
  readonly dHead: number;
  /** Like a parsed config.json. */
  readonly json: Record<string, unknown>;
}

/**
 * The record of a file's architecture.
 *
 * @throws {FileError} If it is missing or not known; the message lists those that are.
 */
export function ggufArchitecture(path: string, metadata: ReadonlyMap<string, GgufValue>): [string, GgufArchitecture] {
  const name = metadata.get("general.architecture");
  if (typeof name === "string" && Object.hasOwn(GGUF_ARCHITECTURES, name)) return [name, GGUF_ARCHITECTURES[name]!];
  const found = name === undefined ? "is missing" : `is ${typeof name === "string" ? quoteValue(name) : "no text"}`;
  throw new FileError(
    path,
    `Cannot use ${path}: metadata "general.architecture" ${found}, wanted one of ` +
      `${Object.keys(GGUF_ARCHITECTURES).join(", ")}; choose a model of a supported architecture, or its folder in ` +
      `Hugging Face layout`,
  );
}

/** Refuses what is known to be another model than the fields of a config can say. */
function refuseOtherModels(fields: GgufFields, metadata: ReadonlyMap<string, GgufValue>): void {
  const parts = metadata.get("split.count");
  if (parts !== undefined && Number(parts) > 1) {
    throw fields.fault(`it is one of ${parts} parts of a model, wanted one file`, "join them with llama-gguf-split");
  }
  const experts = fields.countIfThere("expert_count") ?? 0;
  if (experts > 1) {
    throw fields.fault(`it is a mixture of ${experts} experts, wanted a dense model`, "choose another model");
  }
  fields.only("attention.causal", true);
  fields.only("pooling_type", 0);
  fields.ignore("expert_used_count", "tensor_data_layout");
}

/** Number of layers, which must be that of the tensors: what is made for each layer must not exceed the file. */
function layersOf(fields: GgufFields, tensors: ReadonlyMap<string, GgufTensor>): number {
  const layers = fields.size("block_count");
  const found = tensors.keys().filter((name) => /^blk\.\d+\.attn_norm\.weight$/.test(name)).toArray().length;
  if (layers === found) return layers;
  throw fields.fault(`it has ${found} tensors "blk.*.attn_norm.weight", wanted ${layers} by the number of layers`);
}

/** What the presence of tensors says. */
function configOfTensors(
  fields: GgufFields,
  tensors: ReadonlyMap<string, GgufTensor>,
  modelType: string,
): Record<string, unknown> {
  const embedding = tensors.get("token_embd.weight");
  const vocab = embedding?.shape[0];
  if (vocab === undefined) throw fields.fault('tensor "token_embd.weight" is missing');
  const named = fields.size("vocab_size", vocab);
  if (named !== vocab) {
    throw fields.fault(`tensor "token_embd.weight" has ${vocab} rows, wanted ${named} by the vocabulary's size`);
  }
  // The other families have their biases by definition and no field for them.
  const optional = modelType === "llama"
    ? { attention_bias: tensors.has("blk.0.attn_q.bias"), mlp_bias: tensors.has("blk.0.ffn_up.bias") }
    : {};
  return { vocab_size: vocab, tie_word_embeddings: !tensors.has("output.weight"), ...optional };
}

/**
 * Builds the config of a file.
 *
 * @param path File, for messages.
 * @param metadata All metadata.
 * @param tensors All tensors.
 * @param ropeFactors Values of `rope_freqs.weight`, or null where there is no such tensor.
 * @throws {FileError} If a field is missing, of the wrong type or not known, or says that the model is another kind.
 */
export function ggufConfig(
  path: string,
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: ReadonlyMap<string, GgufTensor>,
  ropeFactors: Float32Array | null,
): GgufConfig {
  const [name, { modelType }] = ggufArchitecture(path, metadata);
  const fields = new GgufFields(path, metadata, name);
  refuseOtherModels(fields, metadata);
  const width = fields.size("embedding_length");
  const nHeads = fields.size("attention.head_count");
  const nKvHeads = fields.size("attention.head_count_kv", nHeads);
  const dHead = fields.size("attention.key_length", width % nHeads === 0 ? width / nHeads : undefined);
  fields.only("attention.value_length", dHead);
  const dims = fields.size("rope.dimension_count", dHead);
  const theta = fields.positive("rope.freq_base", 10000);
  const asked = scalingOfFields(fields, tensors.has("rope_factors_long.weight"));
  const byFactors = ropeFactors === null ? null : scalingOfFactors(fields, ropeFactors, theta, dims);
  if (asked !== null && byFactors !== null) {
    throw fields.fault(
      'it has both tensor "rope_freqs.weight" and scaling by metadata, wanted one',
      "choose another model",
    );
  }
  // Converters write 0 for none.
  const window = fields.countIfThere("attention.sliding_window") ?? 0;
  const json = {
    model_type: modelType,
    hidden_size: width,
    num_hidden_layers: layersOf(fields, tensors),
    num_attention_heads: nHeads,
    num_key_value_heads: nKvHeads,
    head_dim: dHead,
    intermediate_size: fields.size("feed_forward_length"),
    max_position_embeddings: fields.size("context_length"),
    rms_norm_eps: fields.positive("attention.layer_norm_rms_epsilon"),
    hidden_act: "silu",
    rope_theta: theta,
    rope_scaling: byFactors ?? asked,
    ...(dims === dHead ? {} : { partial_rotary_factor: dims / dHead }),
    ...(window === 0 ? {} : { sliding_window: window }),
    ...configOfTensors(fields, tensors, modelType),
  };
  fields.refuseOthers();
  return { nHeads, nKvHeads, dHead, json };
}
