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

/**
 * The `rope_scaling` of config.json that the metadata asks for; the architecture table decides whether it has that type.
 *
 * @returns Null for none.
 * @throws {FileError} If a field has the wrong type.
 */
export function scalingOfFields(fields: GgufFields): Record<string, unknown> | null {
  fields.ignore("rope.scaling.finetuned");
  const oldFactor = fields.positive("rope.scale_linear", 1);
  const type = fields.text("rope.scaling.type", oldFactor === 1 ? "none" : "linear");
  const factor = fields.positive("rope.scaling.factor", oldFactor);
  if (type === "none") return null;
  fields.ignore("rope.scaling.original_context_length", "rope.scaling.attn_factor");
  if (type === "linear") return factor === 1 ? null : { rope_type: type, factor };
  return { rope_type: type, factor };
}
