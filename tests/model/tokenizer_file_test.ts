import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { withTokenizer } from "./tokenizer_variants.ts";

const advice = "take a model with a BPE tokenizer of a supported family";
const model = { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: [] };
const alone = (changes: Record<string, unknown>): Record<string, unknown> => ({
  model: { ...model, ...changes },
  added_tokens: [],
});
const regex = (pattern: string): Record<string, unknown> => ({
  pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
});
const template = (...single: unknown[]): Record<string, unknown> => ({
  post_processor: {
    type: "TemplateProcessing",
    single,
    special_tokens: { "<far>": { id: "<far>", ids: [9999], tokens: ["<far>"] } },
  },
});
const text = { Sequence: { id: "A", type_id: 0 } };

const REFUSED: [string, Record<string, unknown>, string][] = [
  [
    "another type of model",
    { model: { type: "Unigram", vocab: [["a", 0]] }, added_tokens: [] },
    `found a tokenizer of type Unigram, wanted type BPE; ${advice}`,
  ],
  ["a model without a vocabulary", alone({ vocab: undefined }), "found a model without a vocab or merges"],
  ["a vocabulary that is a list", alone({ vocab: [["a", 0]] }), "found a model without a vocab or merges"],
  ["a negative id", alone({ vocab: { a: -1 } }), 'found the id -1 for "a", wanted a whole number'],
  ["an id twice", alone({ vocab: { a: 1, b: 1 } }), 'found the id 1 for "a" and for "b", wanted an id of its own'],
  ["a torn merge", alone({ merges: ["a b c"] }), 'found the merge "a b c", wanted two tokens'],
  [
    "a merge outside the vocabulary",
    alone({ merges: [["a", "b"], ["b", "a"]] }),
    'found a merge of "b" and "a" without "ba" in the vocabulary, wanted all three',
  ],
  [
    "a merge of the unknown token",
    alone({ unk_token: "a", merges: ["a b"] }),
    'found a merge of "a", which stands for unknown characters, wanted merges of known ones',
  ],
  [
    "a merge of a byte token",
    alone({ byte_fallback: true, vocab: { a: 0, "<0x0A>": 1, "a<0x0A>": 2 }, merges: ["a <0x0A>"] }),
    'found a merge of "<0x0A>", which stands for unknown characters',
  ],
  ["too few ranks of merges", alone({ merges: ["a b"], merge_ranks: [] }), "found 0 ranks for 1 merges, wanted one"],
  ["dropout", alone({ dropout: 0.1 }), "found a dropout of 0.1, wanted none: its tokens are random"],
  ["word suffixes", alone({ end_of_word_suffix: "</w>" }), "found affixes of words or parts of words, wanted plain"],
  [
    "an unknown token outside the vocabulary",
    alone({ unk_token: "<unk>" }),
    'found the unknown token "<unk>" outside the vocabulary, wanted it inside',
  ],
  [
    "an added token with the id of another",
    { added_tokens: [{ id: 2600, content: "<mask>" }] },
    'found the id 2600 for the added token "<mask>", wanted 2560 by its vocabulary',
  ],
  [
    "another pre-tokenizer",
    { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "ByteLevel" }, { type: "Whitespace" }] } },
    "found the pre_tokenizer Whitespace, wanted ByteLevel, Digits, Metaspace, Split or a Sequence of them; " + advice,
  ],
  [
    "another normalizer",
    { normalizer: { type: "Lowercase" } },
    "found the normalizer Lowercase, wanted NFC, NFD, NFKC, NFKD, Prepend, Replace or a Sequence of them",
  ],
  [
    "another post-processor",
    { post_processor: { type: "BertProcessing" } },
    "found the post_processor BertProcessing, wanted ByteLevel, TemplateProcessing or a Sequence",
  ],
  ["another decoder", { decoder: { type: "WordPiece" } }, "found the decoder WordPiece, wanted ByteLevel, Metaspace,"],
  ["no decoder", { decoder: null }, "found no decoder, wanted ByteLevel, Metaspace, or Replace, ByteFallback, Fuse"],
  [
    "decoder steps in another order",
    { decoder: { type: "Sequence", decoders: [{ type: "Fuse" }, { type: "ByteFallback" }] } },
    "found the decoder steps Fuse, ByteFallback, wanted",
  ],
  ["a sequence without steps", { decoder: { type: "Sequence" } }, "at decoders found nothing, wanted array"],
  ["steps that are none", { normalizer: { type: "Sequence", normalizers: [3] } }, "at normalizers.0 found 3, wanted"],
  [
    "a metaspace that contradicts itself",
    { pre_tokenizer: { type: "Metaspace", replacement: "_", prepend_scheme: "always", add_prefix_space: false } },
    "found a Metaspace with add_prefix_space false and prepend_scheme always, wanted one of the two",
  ],
  ["a broken pattern", regex("(a"), 'in the pattern "(a", wanted a plain regular expression'],
  ["an anchor", regex("a$"), 'found the anchor $ in the pattern "a$"'],
  ["a word escape", regex("\\w+"), "found the escape \\w in the pattern"],
  ["a class in a class", regex("[a[b]]"), 'found "[b" inside a class in the pattern'],
  ["a possessive group", regex("(?:ab)++"), 'found the possessive repeat of a group "++" in the pattern'],
  ["an atomic group", regex("(?>a)"), 'found the group "(?>a" in the pattern'],
  [
    "a merging split that matches nothing",
    { pre_tokenizer: { type: "Split", pattern: { Regex: "a*" }, behavior: "MergedWithNext", invert: false } },
    'found MergedWithNext with the pattern "a*", wanted a pattern that matches no empty text',
  ],
  [
    "a template for pairs of texts",
    template({ Sequence: { id: "B", type_id: 0 } }),
    "at single.0",
  ],
  ["a template without the text", template(), "found a template with the text 0 times, wanted it once"],
  ["a template with the text twice", template(text, text), "found a template with the text 2 times, wanted it once"],
  [
    "a template with a token that is not listed",
    template({ SpecialToken: { id: "<s>", type_id: 0 } }, text),
    'found a template with the token "<s>", wanted it among its special_tokens',
  ],
  [
    "a template with an id outside the vocabulary",
    template({ SpecialToken: { id: "<far>", type_id: 0 } }, text),
    "found a template with the id 9999, wanted ids of the vocabulary",
  ],
  ["no model", { model: undefined, added_tokens: [] }, "at model found nothing, wanted object; correct the file"],
];

for (const [name, changes, message] of REFUSED) {
  Deno.test(`Tokenizer.load() refuses ${name}`, () =>
    withTokenizer(changes, {}, async (dir) => {
      await assertRejects(() => Tokenizer.load(dir), FileError, message);
    }));
}

Deno.test("Tokenizer.load() says that tokenizer.json is missing or broken", () =>
  withTokenizer({}, {}, async (dir) => {
    const path = join(dir, "tokenizer.json");
    await Deno.writeTextFile(path, "{");
    await assertRejects(() => Tokenizer.load(dir), FileError, `Cannot read ${path}: found text that is no JSON`);
    await Deno.remove(path);
    await assertRejects(
      () => Tokenizer.load(dir),
      FileError,
      `Cannot read ${path}: there is no such file; fetch tokenizer.json of the model into ${dir}, or convert an older ` +
        `tokenizer with Python: AutoTokenizer.from_pretrained("${dir}").save_pretrained("${dir}")`,
    );
  }));

Deno.test("Tokenizer.load() takes begin and end tokens from tokenizer_config.json before config.json", async () => {
  const word = JSON.parse(await Deno.readTextFile("fixtures/world/world-gptj/tokenizer.json")).model.vocab["a"];
  const cases: [Record<string, unknown>, number | null, number | null][] = [
    [{}, null, null],
    [{ "config.json": { bos_token_id: 5, eos_token_id: [7, 8] } }, 5, 7],
    [{ "config.json": { bos_token_id: null } }, null, null],
    [
      {
        "config.json": { bos_token_id: 5, eos_token_id: 7 },
        "tokenizer_config.json": { bos_token: "a", eos_token: { content: "<|endoftext|>" } },
      },
      word,
      0,
    ],
    [
      { "config.json": { bos_token_id: 5 }, "tokenizer_config.json": { bos_token: "<absent>", eos_token: null } },
      5,
      null,
    ],
  ];
  for (const [files, bosId, eosId] of cases) {
    await withTokenizer({}, files, async (dir) => {
      const tokenizer = await Tokenizer.load(dir);
      assertEquals([tokenizer.bosId, tokenizer.eosId], [bosId, eosId]);
    });
  }
});

Deno.test("Tokenizer.load() refuses a broken config beside the tokenizer", () =>
  withTokenizer({}, { "config.json": { eos_token_id: "end" } }, async (dir) => {
    await assertRejects(() => Tokenizer.load(dir), FileError, 'at eos_token_id found "end"');
  }));
