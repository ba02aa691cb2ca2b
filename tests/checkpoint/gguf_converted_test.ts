import { assertEquals, assertThrows } from "@std/assert";
import { readModelConfig } from "../../src/model/architectures.ts";
import { FUSED_TENSORS, type GgufChange, openSmall } from "./gguf_models.ts";

/** Config of a small model. */
async function config(change: GgufChange = {}): Promise<Record<string, unknown>> {
  using weights = await openSmall(change);
  return { ...weights.config };
}

/** Keys beside those of every small model that llama.cpp's converter writes for a family (`conversion/*.py`). */
const CONVERTED: [string, GgufChange][] = [
  // `Phi3MiniModel`: always the original context, never a type of scaling; a window of 0 for none, as of Phi-4.
  ["phi3", {
    metadata: {
      ".rope.scaling.original_context_length": ["u32", 4096],
      ".rope.dimension_count": ["u32", 4],
      ".attention.sliding_window": ["u32", 0],
    },
    tensors: FUSED_TENSORS,
  }],
  // `LlamaModel`: the lengths where config.json has `head_dim`.
  ["llama", {
    metadata: {
      ".vocab_size": ["u32", 5],
      ".rope.dimension_count": ["u32", 4],
      ".attention.key_length": ["u32", 4],
      ".attention.value_length": ["u32", 4],
    },
  }],
  ["qwen2", {}],
  ["qwen3", { metadata: { ".attention.key_length": ["u32", 4], ".attention.value_length": ["u32", 4] } }],
];

/** Keys that no family's part of the metadata holds. */
const GENERAL: NonNullable<GgufChange["metadata"]> = {
  "general.type": ["string", "model"],
  "general.name": ["string", "x"],
  "general.size_label": ["string", "135M"],
  "general.license": ["string", "mit"],
  "general.tags": ["array", ["string", ["text-generation"]]],
  "general.languages": ["array", ["string", ["en"]]],
  "general.base_model.count": ["u32", 1],
  "general.file_type": ["u32", 1],
  "general.quantization_version": ["u32", 2],
  "tokenizer.ggml.pre": ["string", "default"],
};

for (const [architecture, { metadata, tensors = {} }] of CONVERTED) {
  Deno.test(`ggufConfig() takes the metadata of ${architecture} as llama.cpp's converter writes them`, async () => {
    const found = await config({ architecture, metadata: { ...GENERAL, ...metadata }, tensors });
    const { model_type, head_dim, rope_scaling, partial_rotary_factor, sliding_window } = found;
    assertEquals([model_type, head_dim, rope_scaling], [architecture, 4, null]);
    assertEquals([partial_rotary_factor, sliding_window], [undefined, undefined]);
    assertEquals(readModelConfig(found, "x.gguf").rotary, { dims: 4, theta: 10000 });
    assertEquals(readModelConfig(found, "x.gguf").maxPos, 128);
  });
}

Deno.test("ggufConfig() leaves LongRoPE to the architecture table, which refuses it by name", async () => {
  // Present converters name the type, older ones only the tables and the factor of attention.
  const written: NonNullable<GgufChange["metadata"]>[] = [{ ".rope.scaling.type": ["string", "longrope"] }, {}];
  for (const metadata of written) {
    const found = await config({
      architecture: "phi3",
      metadata: {
        ...metadata,
        ".rope.scaling.original_context_length": ["u32", 64],
        ".rope.scaling.attn_factor": ["f32", 1.19],
        ".attention.sliding_window": ["u32", 0],
      },
      tensors: {
        ...FUSED_TENSORS,
        "rope_factors_long.weight": { dims: [2] },
        "rope_factors_short.weight": { dims: [2] },
      },
    });
    assertThrows(
      () => readModelConfig(found, "x.gguf"),
      TypeError,
      'Cannot use x.gguf: field rope_scaling.rope_type is "longrope", wanted "default" or "linear" or "llama3"',
    );
  }
});

Deno.test("ggufConfig() leaves YaRN with all its fields to the architecture table", async () => {
  const found = await config({
    metadata: {
      ".rope.scaling.type": ["string", "yarn"],
      ".rope.scaling.factor": ["f32", 4],
      ".rope.scaling.original_context_length": ["u32", 32],
      ".rope.scaling.yarn_ext_factor": ["f32", 1],
      ".rope.scaling.yarn_attn_factor": ["f32", 1],
      ".rope.scaling.yarn_beta_fast": ["f32", 32],
      ".rope.scaling.yarn_beta_slow": ["f32", 1],
      ".rope.scaling.yarn_log_multiplier": ["f32", 0.1],
    },
  });
  assertThrows(
    () => readModelConfig(found, "x.gguf"),
    TypeError,
    'Cannot use x.gguf: field rope_scaling.rope_type is "yarn", wanted "default" or "linear" or "llama3"',
  );
});
