import { assertEquals, assertThrows } from "@std/assert";
import { readModelConfig } from "../../src/model/architectures.ts";

/** Sizes of a model with heads of 16. */
const SIZES = {
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  head_dim: 16,
  num_hidden_layers: 2,
  intermediate_size: 96,
  vocab_size: 100,
  max_position_embeddings: 128,
};

Deno.test("readModelConfig() reads base and share of GPT-NeoX by its own names and refuses others that say otherwise", () => {
  const rotary = (fields: Record<string, unknown>) =>
    readModelConfig({ model_type: "gpt_neox", ...SIZES, ...fields }, "config.json").rotary;
  // Values of GPTNeoXConfig of transformers 5.24, whose scaling counts before its own names.
  assertEquals(rotary({}), { dims: 4, theta: 10000 });
  assertEquals(rotary({ rotary_emb_base: 5000, rotary_pct: 0.5 }), { dims: 8, theta: 5000 });
  assertEquals(rotary({ rotary_emb_base: 5000, rope_parameters: {} }), { dims: 4, theta: 5000 });
  const newer = { rope_type: "default", rope_theta: 20000, partial_rotary_factor: 1 };
  assertEquals(rotary({ rope_parameters: newer }), { dims: 16, theta: 20000 });
  const scaling = { type: "linear", factor: 2 } as const;
  assertEquals(rotary({ rotary_emb_base: 5000, rope_scaling: scaling, rope_parameters: newer }), {
    dims: 4,
    theta: 5000,
    scaling,
  });
  // As version 4 writes its configs.
  const own = { rotary_emb_base: 5000, rotary_pct: 0.5 };
  assertEquals(rotary({ ...own, rope_theta: 5000, partial_rotary_factor: 0.5 }), { dims: 8, theta: 5000 });
  for (
    const [fields, message] of [
      [{ ...own, rope_theta: 10000 }, "rope_theta is 10000, wanted 5000: models of this family read rotary_emb_base"],
      [{ rope_theta: 5000 }, "rope_theta is 5000, wanted 10000: models of this family read rotary_emb_base"],
      [
        { ...own, partial_rotary_factor: 1 },
        "partial_rotary_factor is 1, wanted 0.5: models of this family read rotary_pct",
      ],
      [{ partial_rotary_factor: 1 }, "partial_rotary_factor is 1, wanted 0.25: models of this family read rotary_pct"],
      [
        { ...own, rope_parameters: newer },
        "rotary_emb_base is 5000, wanted 20000: models of this family read rope_parameters.rope_theta",
      ],
    ] as const
  ) {
    assertThrows(
      () => rotary(fields),
      TypeError,
      `Cannot use config.json: field ${message}. The model would be computed wrongly, so it is refused: `,
    );
  }
});

Deno.test("readModelConfig() keeps the window of a family whatever a switch says that only Qwen's have", () => {
  const off = { sliding_window: 16, use_sliding_window: false, layer_types: ["full_attention", "full_attention"] };
  const reach = (family: string, fields: Record<string, unknown>): number =>
    readModelConfig({ model_type: family, ...SIZES, ...fields }, "config.json").maxPos;
  for (const family of ["mistral", "phi3"]) assertEquals(reach(family, off), 16);
  for (const family of ["qwen2", "qwen3"]) {
    assertEquals(reach(family, off), 128);
    assertEquals(reach(family, { ...off, use_sliding_window: true }), 128);
    assertEquals(reach(family, { sliding_window: 16 }), 128);
    assertEquals(reach(family, { sliding_window: 16, use_sliding_window: true }), 16);
  }
});
