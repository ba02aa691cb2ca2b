/**
 * Scaling of rotary frequencies: from what GGUF files hold to the fields of config.json.
 *
 * @module
 */

import type { GgufFields } from "./gguf_fields.ts";
import { llama3Factors } from "./llama3_factors.ts";

/** Llama 3's rule has three constants that every model since 3.1 shares; files hold only the factors that it gives. */
const LLAMA3 = { lowFreqFactor: 1, highFreqFactor: 4, originalMaxPos: 8192 };

/** Factors were computed in float32 from powers and quotients; none of the rule's steps loses more than this. */
const FACTOR_TOLERANCE = 1e-4;

/**
 * The `rope_scaling` of config.json that gives the factors of `rope_freqs.weight`.
 *
 * @param fields Fields of the model, for messages.
 * @param factors Factors in the file.
 * @param theta Base of the frequencies.
 * @param dims Turned features of a head.
 * @returns Null where all factors are one.
 * @throws {FileError} If they do not follow Llama 3's rule.
 */
export function scalingOfFactors(
  fields: GgufFields,
  factors: Float32Array,
  theta: number,
  dims: number,
): Record<string, unknown> | null {
  if (factors.every((factor) => factor === 1)) return null;
  const factor = factors.reduce((a, b) => Math.max(a, b), 0);
  // Compared first: the metadata may claim any number of turned features.
  const fits = factors.length === dims / 2 &&
    llama3Factors({ factor, ...LLAMA3 }, theta, dims).every((wanted, i) =>
      Math.abs(factors[i]! - wanted) <= FACTOR_TOLERANCE * wanted
    );
  if (!fits) {
    throw fields.fault(
      `tensor "rope_freqs.weight" holds ${factors.length} factors up to ${factor} that are not those of Llama 3 ` +
        `(${dims / 2} by its rule)`,
      "choose another model",
    );
  }
  return {
    rope_type: "llama3",
    factor,
    low_freq_factor: LLAMA3.lowFreqFactor,
    high_freq_factor: LLAMA3.highFreqFactor,
    original_max_position_embeddings: LLAMA3.originalMaxPos,
  };
}

/** Fields of scalings that the architecture table refuses by their type, whatever the fields say. */
const OF_OTHER_TYPES = [
  "rope.scaling.alpha",
  "rope.scaling.yarn_log_multiplier",
  "rope.scaling.yarn_ext_factor",
  "rope.scaling.yarn_attn_factor",
  "rope.scaling.yarn_beta_fast",
  "rope.scaling.yarn_beta_slow",
];

/**
 * The `rope_scaling` of config.json that the metadata asks for; the architecture table decides whether it has that type.
 *
 * A file without a type is scaled linearly by its factor, if it has one, as llama.cpp does (`load_hparams` in
 * `src/llama-model.cpp`); a factor of 0 is none. Phi-3 files name the original context and no type at all
 * (`conversion/phi.py`): only their tables of factors would change the maths.
 *
 * @param fields Fields of the model.
 * @param hasLongFactors Whether the file has a table of factors for long contexts.
 * @returns Null for none.
 * @throws {FileError} If a field has the wrong type, or scales attention.
 */
export function scalingOfFields(fields: GgufFields, hasLongFactors: boolean): Record<string, unknown> | null {
  // The context before the scaling: neither linear scaling nor none depends on it.
  fields.ignore("rope.scaling.finetuned", "rope.scaling.original_context_length");
  const oldFactor = fields.fromZero("rope.scale_linear", 0);
  const factor = fields.fromZero("rope.scaling.factor", oldFactor) || 1;
  const type = hasLongFactors ? "longrope" : fields.text("rope.scaling.type", "linear");
  if (type !== "none" && type !== "linear") {
    fields.ignore("rope.scaling.type", "rope.scaling.attn_factor", ...OF_OTHER_TYPES);
    return { rope_type: type, factor };
  }
  fields.only("rope.scaling.attn_factor", 1);
  return type === "none" || factor === 1 ? null : { rope_type: type, factor };
}
