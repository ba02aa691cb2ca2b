/**
 * Rotary embedding in config.json: two spellings of base and scaling, on their own or among `rope_parameters`.
 *
 * @module
 */
import { z } from "zod";
import type { RotaryConfig } from "../architectures.ts";
import type { RopeScaling } from "../rope_scaling.ts";
import { only, onlyIfThere, wrongField } from "./fields.ts";

const SCALED = {
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.int().positive().optional(),
};
const TYPE = only(["default", "linear", "llama3"]);

const PART = z.number().positive().max(1).nullish();
const WHOLE = onlyIfThere([1]);

// Older files write `type`, newer ones `rope_type`; some write both.
const ROPE = z.looseObject({
  rope_type: TYPE,
  type: TYPE,
  rope_theta: z.number().positive().optional(),
  partial_rotary_factor: PART,
  ...SCALED,
  // Every layer of these families turns alike, and long contexts do not scale the scores.
  full_attention: only([null]),
  sliding_attention: only([null]),
  llama_4_scaling_beta: onlyIfThere([0]),
});
const WHOLE_ROPE = ROPE.extend({ partial_rotary_factor: WHOLE });

/** Fields of a config that say how positions turn a part of each head. */
export const ROPE_FIELDS = {
  rope_theta: z.number().positive().optional(),
  rope_scaling: ROPE.nullish(),
  rope_parameters: ROPE.nullish(),
  partial_rotary_factor: PART,
  original_max_position_embeddings: z.int().positive().nullish(),
} as const;

/** {@linkcode ROPE_FIELDS} of families whose model code turns whole heads, whatever the config says. */
export const WHOLE_HEAD_FIELDS = {
  ...ROPE_FIELDS,
  rope_scaling: WHOLE_ROPE.nullish(),
  rope_parameters: WHOLE_ROPE.nullish(),
  partial_rotary_factor: WHOLE,
} as const;

/** What {@linkcode ROPE_FIELDS} give when parsed. */
export type RopeFields = z.infer<z.ZodObject<typeof ROPE_FIELDS>>;

/** The scaling that counts, with the name of its field: where both are there, `transformers` takes the older one. */
export function ropeBlock(
  { rope_parameters: newer, rope_scaling: older }: RopeFields,
): [name: string, block: z.infer<typeof ROPE>] {
  return older && Object.keys(older).length > 0 ? ["rope_scaling", older] : ["rope_parameters", newer ?? {}];
}

/**
 * Reads the fields.
 *
 * @param dHead Width of a head.
 * @param path Config, for messages.
 * @throws {TypeError} If a scaling lacks a number that its type needs.
 */
export function rotaryOf(fields: RopeFields, dHead: number, path: string): RotaryConfig {
  const [source, values] = ropeBlock(fields);
  const theta = values.rope_theta ?? fields.rope_theta ?? 10000;
  const dims = Math.floor(dHead * (values.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1));
  const type = values.rope_type ?? values.type ?? "default";
  if (type === "default") return { dims, theta };
  const number = (name: keyof typeof SCALED): number => {
    const found = values[name];
    if (found !== undefined) return found;
    throw wrongField(path, `${source}.${name} is missing, wanted a number for scaling of type "${type}"`);
  };
  const beside = fields.original_max_position_embeddings ?? undefined;
  if (type === "llama3" && beside !== undefined && beside !== values.original_max_position_embeddings) {
    throw wrongField(
      path,
      `original_max_position_embeddings is ${beside}, wanted that of ${source} ` +
        `(${values.original_max_position_embeddings ?? "missing"}) or none`,
    );
  }
  const change: RopeScaling = type === "linear" ? { type, factor: number("factor") } : {
    type,
    factor: number("factor"),
    lowFreqFactor: number("low_freq_factor"),
    highFreqFactor: number("high_freq_factor"),
    originalMaxPos: number("original_max_position_embeddings"),
  };
  if (change.type === "llama3" && change.lowFreqFactor >= change.highFreqFactor) {
    throw new TypeError(
      `Cannot use ${path}: field ${source}.high_freq_factor is ${change.highFreqFactor}, wanted more than ` +
        `low_freq_factor, which is ${change.lowFreqFactor}. Choose another model or correct the file`,
    );
  }
  return { dims, theta, scaling: change };
}
