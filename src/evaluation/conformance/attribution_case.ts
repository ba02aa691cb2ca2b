import { z } from "zod";
import { readJsonFile } from "../../checkpoint/json_file.ts";

const list = z.object({ list: z.array(z.object({ neuron: z.string(), score: z.number() })) });
const subKeyShares = z.object({
  slots: z.array(z.number()),
  worstConditioning: z.number(),
  slotsWithOwnAttention: z.array(z.number()).optional(),
  worstConditioningWithOwnAttention: z.number().optional(),
});
const projected = z.array(z.object({ id: z.int(), token: z.string().nullable(), value: z.number() }));

const prompt = z.object({
  text: z.string(),
  ids: z.array(z.int()),
  target: z.int(),
  targetLogProb: z.number(),
  argmax: z.int(),
  frozenScale: z.number(),
  lens: z.array(z.object({ layer: z.int(), top: z.array(z.int()), targetLogProb: z.number() })),
  sums: z.record(z.string(), z.number()),
  top: z.object({ ffn_neuron: list, attn_neuron: list, head: list }),
  query: z.object({
    ffnNeurons: z.int(),
    attnNeurons: z.int(),
    attnNeuronsForQueryFfn: z.int(),
    layersFfn: z.record(z.string(), subKeyShares),
    layersAttn: subKeyShares,
    queryFfnNeurons: list,
    queryAndValue: z.array(z.string()),
    queryOnly: z.array(z.string()),
  }),
  projections: z.array(z.object({
    kind: z.enum(["ffn_neuron", "attn_neuron"]),
    neuron: z.string(),
    coefficient: z.number(),
    withHeadBias: z.boolean().default(false),
    top: projected,
    bottom: projected,
  })),
  interventions: z.array(z.object({
    kind: z.enum(["ffn_neuron", "attn_neuron"]),
    neurons: z.array(z.string()),
    scope: z.enum(["allPositions", "lastOnly", "lastOnlyOneSource", "allPositionsOneSource"]),
    targetLogProb: z.number(),
    argmax: z.int(),
  })),
  gradient: z.object({ layerOfWOut: z.int(), nll: z.number() }),
});

const schema = z.object({
  name: z.string(),
  modelType: z.string(),
  parallel: z.boolean(),
  prompts: z.array(prompt),
  batch: z.object({ ids: z.array(z.array(z.int())), last: z.array(z.int()) }),
});

const contrastSchema = z.object({ prompts: z.array(z.object({ alternatives: z.array(z.int()) })) });

/** One prompt of an attribution case. */
export type AttributionPrompt = z.infer<typeof prompt>;

/** `case.json` of an attribution golden. */
export type AttributionCase = z.infer<typeof schema>;

/** `contrast.json` of an attribution golden. */
export type ContrastCase = z.infer<typeof contrastSchema>;

/**
 * Reads `case.json` of an attribution golden.
 *
 * @throws {FileError} If it is missing or does not fit.
 */
export async function readAttributionCase(dir: string): Promise<AttributionCase> {
  return await readJsonFile(`${dir}/case.json`, schema);
}

/**
 * Reads `contrast.json` of an attribution golden.
 *
 * @throws {FileError} If it is missing or does not fit.
 */
export async function readContrastCase(dir: string): Promise<ContrastCase> {
  return await readJsonFile(`${dir}/contrast.json`, contrastSchema);
}
