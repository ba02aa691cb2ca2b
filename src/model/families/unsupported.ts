/**
 * Models that are known and not computed here, refused by name before any weight is read.
 *
 * @module
 */

import { quoteValue } from "../../checkpoint/file_error.ts";

/** Families that are not dense text models, or need what no record can say. */
const FAMILIES: readonly [pattern: RegExp, why: string][] = [
  [/moe|^mixtral$|^deepseek_v[23]$|^dbrx$|^jamba$|^llama4|^gpt_oss$/, "a mixture of experts"],
  [
    /_vl(_|$)|^internvl|llava|vlm|^mllama$|^idefics|^paligemma$|^pixtral$|^mistral3$|^gemma3n?$|omni|multimodal|vision/,
    "multimodal",
  ],
  [
    /audio|speech|^voxtral|^ultravox|^minicpm[ov]$|^molmo|^phi3_v$|^phi4mm$|^chameleon$|^fuyu$|^kosmos|^blip|^janus/,
    "multimodal",
  ],
  [
    /^gemma/,
    "Gemma, whose norms add one to their weights and stand after attention and MLP too, with scaled embeddings and " +
    "two rotary bases",
  ],
  [/^mamba|^rwkv|^recurrent_gemma$|^falcon_mamba$/, "a recurrent model"],
  [/^t5$|^bart$|^mbart$|^whisper$|^bert$|^roberta$/, "no decoder-only model"],
];

/** Fields that make a model another one, whatever its `model_type`: `num_experts`, `moe_num_experts`, `vision_config` ... */
const FIELDS: readonly [pattern: RegExp, why: string][] = [
  [/(^|_)experts$/, "a mixture of experts"],
  [/^(vision|audio|speech)_(config|tower)$/, "multimodal"],
];

const DENSE = "wanted a dense text model";

/**
 * Refuses configs of models that are known not to be computed here.
 *
 * @throws {TypeError} Names the kind of model, or the quantisation.
 */
export function refuseUnsupported(json: unknown, path: string): void {
  if (typeof json !== "object" || json === null) return;
  const config = json as Record<string, unknown>;
  const refuse = (found: string, wanted: string, remedy: string): TypeError =>
    new TypeError(`Cannot use ${path}: found ${found}, ${wanted}. ${remedy}`);
  const type = config["model_type"];
  if (typeof type === "string") {
    const family = FAMILIES.find(([pattern]) => pattern.test(type));
    if (family) {
      throw refuse(`model_type ${quoteValue(type)}, ${family[1]}`, DENSE, "Choose a model of a supported family");
    }
  }
  for (const [name, value] of Object.entries(config)) {
    const why = FIELDS.find(([pattern]) => pattern.test(name))?.[1];
    if (why === undefined || value === null || value === 0 || value === 1) continue;
    throw refuse(`the field ${name}, as of ${why}`, DENSE, "Choose a model of a supported family");
  }
  const quantisation = config["quantization_config"];
  if (quantisation === undefined || quantisation === null) return;
  const method = (quantisation as { quant_method?: unknown }).quant_method;
  const old = ["load_in_4bit", "load_in_8bit"].some((name) => (quantisation as Record<string, unknown>)[name] === true);
  const named = typeof method === "string" ? quoteValue(method) : old ? '"bitsandbytes"' : "an unnamed method";
  throw refuse(
    `weights quantised by ${named}`,
    "wanted F32, F16 or BF16 weights",
    "Take the model before quantisation, or a GGUF file of it",
  );
}
