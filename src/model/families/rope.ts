/**
 * Rotary embedding in config.json: two spellings of base and scaling, on their own or among `rope_parameters`.
 *
 * @module
 */
import { z } from "zod";
import type { RotaryConfig } from "../architectures.ts";
import type { RopeScaling } from "../rope_scaling.ts";
import { only } from "./fields.ts";

const SCALED = {
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.int().positive().optional(),
};
const TYPE = only(["default", "linear", "llama3"]);

/** Fields of a config that say how positions turn queries and keys. */
export const ROPE_FIELDS = {
  rope_theta: z.number().positive().optional(),
  // Older files write `type`, newer ones `rope_type`; some write both.
  rope_scaling: z.looseObject({ rope_type: TYPE, type: TYPE, ...SCALED }).nullish(),
  rope_parameters: z.looseObject({
    rope_type: TYPE,
    rope_theta: z.number().positive().optional(),
    partial_rotary_factor: z.number().positive().max(1).optional(),
    ...SCALED,
  }).nullish(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
} as const;

/** What {@linkcode ROPE_FIELDS} give when parsed. */
export type RopeFields = z.infer<z.ZodObject<typeof ROPE_FIELDS>>;

/**
 * Reads the fields.
 *
 * @param dHead Width of a head.
 * @param path Config, for messages.
 * @throws {TypeError} If a scaling lacks a number that its type needs.
 */
export function rotaryOf(fields: RopeFields, dHead: number, path: string): RotaryConfig {
  const { rope_parameters: parameters, rope_scaling: scaling } = fields;
  const theta = parameters?.rope_theta ?? fields.rope_theta ?? 10000;
  const part = parameters?.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1;
  const dims = Math.floor(dHead * part);
  const older = scaling?.rope_type ?? scaling?.type;
  const scaled = older !== undefined && older !== "default";
  const [source, type, values] = scaled
    ? ["rope_scaling", older, scaling!] as const
    : ["rope_parameters", parameters?.rope_type ?? "default", parameters!] as const;
  if (type === "default") return { dims, theta };
  const number = (name: keyof typeof SCALED): number => {
    const found = values[name];
    if (found !== undefined) return found;
    throw new TypeError(
      `Cannot use ${path}: field ${source}.${name} is missing, wanted a number for scaling of type "${type}". ` +
        `The model would be computed wrongly, so it is refused: choose another model or correct the file`,
    );
  };
  const change: RopeScaling = type === "linear" ? { type, factor: number("factor") } : {
    type,
    factor: number("factor"),
    lowFreqFactor: number("low_freq_factor"),
    highFreqFactor: number("high_freq_factor"),
    originalMaxPos: number("original_max_position_embeddings"),
  };
  return { dims, theta, scaling: change };
}
