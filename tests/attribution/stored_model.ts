/**
 * Small models as their files hold them, for the float64 twin: fused tensors taken apart here once more.
 *
 * @module
 */
import { decodeFloats } from "../../src/checkpoint/half.ts";
import { rotaryFrequencies } from "../../src/model/rope_scaling.ts";
import { familyFolder } from "../model/family_models.ts";
import { readTensors } from "../model/model_files.ts";
import type { TwinBlock, TwinLinear, TwinModel, TwinNorm } from "../reference/sequential_model.ts";

/** Which rows of a stored tensor are meant. */
type Pick = (row: number) => boolean;

/** Reads one of the models with logits of transformers. */
export async function storedModel(name: string): Promise<TwinModel> {
  const dir = familyFolder(name);
  const config = JSON.parse(await Deno.readTextFile(`${dir}/config.json`));
  const tensors = await readTensors(`${dir}/model.safetensors`);
  const values = (tensor: string): Float64Array | null => {
    const found = tensors.get(tensor);
    return found ? Float64Array.from(decodeFloats("BF16", found.data as Uint8Array)) : null;
  };
  const linear = (tensor: string, pick: Pick = () => true): TwinLinear => {
    const all = values(`${tensor}.weight`)!;
    const width = tensors.get(`${tensor}.weight`)!.shape[1]!;
    const rows = Array.from({ length: all.length / width }, (_, r) => all.subarray(r * width, (r + 1) * width));
    return {
      rows: rows.filter((_, r) => pick(r)),
      bias: values(`${tensor}.bias`)?.filter((_, r) => pick(r)) ?? null,
    };
  };
  const norm = (tensor: string): TwinNorm => ({ weight: values(`${tensor}.weight`)!, bias: values(`${tensor}.bias`) });
  const nHeads: number = config.num_attention_heads;
  const nKvHeads: number = config.num_key_value_heads ?? nHeads;
  const dHead: number = config.head_dim ?? config.hidden_size / nHeads;
  const dMlp: number = config.intermediate_size;
  const between = (first: number, count: number): Pick => (row) => row >= first && row < first + count;
  const ofHead = (which: number): Pick => (row) => Math.floor(row % (3 * dHead) / dHead) === which;

  const blockOf: Record<string, (at: string) => TwinBlock> = {
    gpt_neox: (at) => ({
      ln1: norm(`${at}input_layernorm`),
      q: linear(`${at}attention.query_key_value`, ofHead(0)),
      k: linear(`${at}attention.query_key_value`, ofHead(1)),
      v: linear(`${at}attention.query_key_value`, ofHead(2)),
      o: linear(`${at}attention.dense`),
      ln2: norm(`${at}post_attention_layernorm`),
      gate: null,
      up: linear(`${at}mlp.dense_h_to_4h`),
      down: linear(`${at}mlp.dense_4h_to_h`),
    }),
    llama: (at) => ({
      ln1: norm(`${at}input_layernorm`),
      q: linear(`${at}self_attn.q_proj`),
      k: linear(`${at}self_attn.k_proj`),
      v: linear(`${at}self_attn.v_proj`),
      o: linear(`${at}self_attn.o_proj`),
      ln2: norm(`${at}post_attention_layernorm`),
      gate: linear(`${at}mlp.gate_proj`),
      up: linear(`${at}mlp.up_proj`),
      down: linear(`${at}mlp.down_proj`),
    }),
    phi3: (at) => ({
      ln1: norm(`${at}input_layernorm`),
      q: linear(`${at}self_attn.qkv_proj`, between(0, nHeads * dHead)),
      k: linear(`${at}self_attn.qkv_proj`, between(nHeads * dHead, nKvHeads * dHead)),
      v: linear(`${at}self_attn.qkv_proj`, between((nHeads + nKvHeads) * dHead, nKvHeads * dHead)),
      o: linear(`${at}self_attn.o_proj`),
      ln2: norm(`${at}post_attention_layernorm`),
      gate: linear(`${at}mlp.gate_up_proj`, between(0, dMlp)),
      up: linear(`${at}mlp.gate_up_proj`, between(dMlp, dMlp)),
      down: linear(`${at}mlp.down_proj`),
    }),
  };
  const neox = config.model_type === "gpt_neox";
  const root = neox ? "gpt_neox." : "model.";
  const rope = config.rope_parameters;
  const dims = Math.floor(dHead * (rope.partial_rotary_factor ?? 1));
  const scaling = {
    linear: { type: "linear", factor: rope.factor },
    llama3: {
      type: "llama3",
      factor: rope.factor,
      lowFreqFactor: rope.low_freq_factor,
      highFreqFactor: rope.high_freq_factor,
      originalMaxPos: rope.original_max_position_embeddings,
    },
  } as const;
  return {
    nHeads,
    nKvHeads,
    dHead,
    eps: config.layer_norm_eps ?? config.rms_norm_eps,
    frequencies: rotaryFrequencies(dims, rope.rope_theta, scaling[rope.rope_type as keyof typeof scaling]),
    embed: linear(`${root}${neox ? "embed_in" : "embed_tokens"}`).rows,
    blocks: Array.from(
      { length: config.num_hidden_layers },
      (_, layer) => (blockOf[config.model_type] ?? blockOf["llama"]!)(`${root}layers.${layer}.`),
    ),
    lnFinal: norm(`${root}${neox ? "final_layer_norm" : "norm"}`),
  };
}
