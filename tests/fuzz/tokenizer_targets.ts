/**
 * Tokenizers under damaged files and any text.
 *
 * @module
 */
import fc from "fast-check";
import { join } from "node:path";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { tokenizerFromGguf } from "../../src/model/tokenizer_gguf.ts";
import { jsonBytes, jsonTarget } from "./json_files.ts";
import { mutatedJson } from "./mutations.ts";
import { type FuzzTarget, target } from "./target.ts";

const GOLDENS = "fixtures/goldens/tokenizer";
const STYLES = ["gpt2", "neox", "llama3", "qwen2", "possessive", "llama2", "mistral", "phi3", "gemma", "metaspace"];

const readJson = async (path: string): Promise<unknown> => JSON.parse(await Deno.readTextFile(path));

/** Any UTF-16, lone surrogates among it, and texts of what the steps of a tokenizer look for. */
function anyText(): fc.Arbitrary<string> {
  const units = fc.array(fc.nat(0xffff), { maxLength: 64 }).map((codes) => String.fromCharCode(...codes));
  const parts = [
    " ",
    "\u2581",
    "<s>",
    "<|im_end|>",
    "Paris",
    "it's",
    "12",
    "\n",
    "\u0301",
    "\u0323",
    "<0x0A>",
    "\ud83d",
  ];
  return fc.oneof(
    fc.string({ unit: "binary", maxLength: 64 }),
    fc.string({ unit: "grapheme", maxLength: 64 }),
    units,
    fc.array(fc.constantFrom(...parts), { maxLength: 32 }).map((found) => found.join("")),
  );
}

function checkText(tokenizer: Tokenizer, text: string): void {
  const { ids, offsets } = tokenizer.encodeWithOffsets(text);
  if (ids.some((id) => !(id >= 0 && id < tokenizer.size))) throw new Error(`An id outside the vocabulary: ${ids}`);
  for (const [from, to] of offsets) {
    if (!(0 <= from && from <= to && to <= text.length)) throw new Error(`An offset outside the text: ${from}, ${to}`);
  }
  tokenizer.decode(ids);
  tokenizer.decode(tokenizer.encode(text, { continues: true }), { continues: true });
}

async function prompts(): Promise<FuzzTarget> {
  const paths = STYLES.map((style) => `${GOLDENS}/styles/${style}.tokenizer.json`);
  const all = await Promise.all(["fixtures/world/world-qwen3/tokenizer.json", ...paths].map((path) => readJson(path)));
  const tokenizers = all.map((json) => Tokenizer.from(json));
  return target("prompts", anyText(), (text) => tokenizers.forEach((tokenizer) => checkText(tokenizer, text)));
}

/** Every step that is known, over a small vocabulary. */
const SMALL = {
  model: {
    type: "BPE",
    vocab: { "<unk>": 0, a: 1, b: 2, "\u2581": 3, ab: 4, "\u2581ab": 5, "<0x0A>": 6 },
    merges: [["a", "b"], "\u2581 ab"],
    unk_token: "<unk>",
    byte_fallback: true,
    fuse_unk: true,
    ignore_merges: false,
  },
  added_tokens: [
    { id: 0, content: "<unk>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    { id: 7, content: "<s>", single_word: true, lstrip: true, rstrip: true, normalized: true, special: true },
  ],
  normalizer: {
    type: "Sequence",
    normalizers: [{ type: "NFKC" }, { type: "Prepend", prepend: "\u2581" }, {
      type: "Replace",
      pattern: { String: " " },
      content: "\u2581",
    }],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Digits", individual_digits: true },
      { type: "Split", pattern: { Regex: "(?i:a|b)+| ?[^\\s\\p{L}]++" }, behavior: "Isolated", invert: false },
      { type: "Metaspace", replacement: "\u2581", prepend_scheme: "first", split: true },
    ],
  },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    special_tokens: { "<s>": { id: "<s>", ids: [7], tokens: ["<s>"] } },
  },
  decoder: {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: "\u2581" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      { type: "Strip", content: " ", start: 1, stop: 0 },
    ],
  },
};

const METADATA = {
  "tokenizer.ggml.model": "llama",
  "tokenizer.ggml.tokens": ["<unk>", "<s>", "a", "b", "\u2581", "ab", "<0x0A>"],
  "tokenizer.ggml.scores": [0, 0, -3, -3, -3, -1, 0],
  "tokenizer.ggml.token_type": [2, 3, 1, 1, 1, 1, 6],
  "tokenizer.ggml.bos_token_id": 1,
  "tokenizer.ggml.add_space_prefix": true,
};

/** Texts that a tokenizer which was accepted must stand. */
const TEXTS = ["", "ab a\u0301 1\n\u{1f642}", " <s> \ud83dab"];

/** What reads tokenizers and texts. */
export async function tokenizerTargets(dir: string): Promise<FuzzTarget[]> {
  const [damaged, marked] = [join(dir, "damaged"), join(dir, "marked")];
  for (const folder of [damaged, marked]) await Deno.mkdir(folder);
  await Deno.writeFile(join(marked, "tokenizer.json"), jsonBytes(SMALL));
  const names = { bos_token: "<s>", eos_token: { content: "<s>" } };
  const record = (value: unknown): Record<string, unknown> =>
    typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  return [
    jsonTarget("tokenizer.json", join(damaged, "tokenizer.json"), [jsonBytes(SMALL)], async () => {
      const tokenizer = await Tokenizer.load(damaged);
      for (const text of TEXTS) checkText(tokenizer, text);
    }),
    jsonTarget("tokenizer_config.json", join(marked, "tokenizer_config.json"), [jsonBytes(names)], async () => {
      const tokenizer = await Tokenizer.load(marked);
      for (const text of TEXTS) checkText(tokenizer, text);
    }),
    target("gguf tokenizer", mutatedJson(METADATA), (value) => {
      const tokenizer = tokenizerFromGguf(record(value), "x.gguf");
      for (const text of TEXTS) checkText(tokenizer, text);
    }, { size: (value) => jsonBytes(value).length }),
    await prompts(),
  ];
}
