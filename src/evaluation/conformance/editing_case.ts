import { z } from "zod";
import { readJsonFile } from "../../checkpoint/json_file.ts";

const layers = z.array(z.int().nonnegative()).min(1);
const contexts = z.array(z.array(z.string()));
const step = z.looseObject({
  nll: z.number(),
  nll_each: z.array(z.number()),
  kl: z.number().optional(),
  wd: z.number(),
  loss: z.number().optional(),
  norm_delta: z.union([z.number().transform((norm) => [norm]), z.array(z.number())]).optional(),
  norm_delta_attn: z.number().optional(),
  norm_delta_mlp: z.number().optional(),
  nll_factor: z.number().optional(),
  all_argmax: z.boolean().optional(),
});
const search = z.object({
  rows: z.array(z.object({ ids: z.array(z.int()), edit_index: z.int() })).optional(),
  target_ids: z.array(z.int()).optional(),
  label_positions: z.array(z.array(z.int())).optional(),
  steps: z.array(step).min(1),
});
const outer = z.object({
  probes: z.array(z.string()).min(1),
  layers: z.array(z.object({ key: z.string(), layer: z.int(), divisor: z.number() })).min(1),
  searches: z.array(search).min(1),
});

const request = z.object({ prompt: z.string(), subject: z.string(), target_new: z.string() });
const spread = z.object({
  v_num_grad_steps: z.int().positive(),
  v_lr: z.number(),
  v_weight_decay: z.number(),
  clamp_norm_factor: z.number(),
  kl_factor: z.number(),
  mom2_update_weight: z.number(),
  nll_loss_factor: z.number().default(1),
});

const published = outer.extend({
  method: z.enum(["memit", "pmet"]),
  requests: z.array(request),
  contexts,
  hparams: spread.extend({ layers }),
});
const paper = outer.extend({
  method: z.literal("ace-paper"),
  requests: z.array(request.extend({ multi_hop: z.object({ prompt: z.string(), subject: z.string() }) })),
  contexts,
  hparams: spread.extend({
    V: layers,
    Q: layers,
    search: z.enum(["joint", "mlp"]),
    edit_token_pass1: z.enum(["last", "subject_last"]),
  }),
});
const chain = outer.extend({
  method: z.literal("ace-chain"),
  requests: z.array(z.object({
    target_new: z.string(),
    one_hop: z.array(z.string()).min(1),
    two_hop: z.array(z.string()),
    preserve: z.array(z.object({ prompt: z.string(), continuation: z.array(z.int()) })),
  })),
  hparams: z.object({
    one_hop_weight: z.number().nullable(),
    kept_weight: z.number(),
    eps: z.number(),
    lambda: z.number(),
    ridge: z.number(),
    lr: z.number(),
    steps: z.int().positive(),
    clamp: z.number(),
    weight_decay: z.number(),
    stop: z.number(),
    layers,
  }),
});

const schema = z.discriminatedUnion("method", [published, paper, chain]);
const kindSchema = z.object({ method: z.string(), hparams: z.looseObject({ solver: z.string().optional() }) });

/** `case.json` of a MEMIT or PMET golden. */
export type PublishedCase = z.infer<typeof published>;

/** `case.json` of a golden of ACE in paper mode. */
export type PaperCase = z.infer<typeof paper>;

/** `case.json` of a golden of ACE in chain mode, closed solver. */
export type ChainCase = z.infer<typeof chain>;

/** `case.json` of an editing golden that can be checked. */
export type EditingCase = PublishedCase | PaperCase | ChainCase;

/** One recorded search of a case. */
export type GoldenSearch = z.infer<typeof search>;

/** One recorded evaluation of a search. */
export type GoldenStep = z.infer<typeof step>;

/**
 * Reads `case.json` of an editing golden.
 *
 * @returns The case, or a sentence saying which part of it is not supported.
 * @throws {FileError} If it is missing or does not fit.
 */
export async function readEditingCase(dir: string): Promise<EditingCase | string> {
  const path = `${dir}/case.json`;
  const { method, hparams } = await readJsonFile(path, kindSchema);
  if (!["memit", "pmet", "ace-paper", "ace-chain"].includes(method)) return `method ${method} is not supported`;
  if (hparams.solver !== undefined && hparams.solver !== "closed") return `solver ${hparams.solver} is not supported`;
  return await readJsonFile(path, schema);
}
