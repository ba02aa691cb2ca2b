import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { flattenPart } from "../../src/model/tokenizer_file.ts";
import { withTokenizer } from "./tokenizer_variants.ts";

const advice = "take a model with a byte-level BPE tokenizer";
const model = { type: "BPE", vocab: { a: 0 }, merges: [] };
const added = { id: 2560, content: "<mask>", single_word: false, lstrip: true, rstrip: false, normalized: false };

const REFUSED: [string, Record<string, unknown>, string][] = [
  [
    "another type of model",
    { model: { type: "Unigram", vocab: [["a", 0]] } },
    "found a tokenizer of type Unigram, wanted type BPE; ",
  ],
  ["a model without a vocabulary", { model: { type: "BPE", merges: [] } }, "found a model without a vocab or merges"],
  ["a negative id", { model: { ...model, vocab: { a: -1 } } }, "at model.vocab"],
  ["byte fallback", { model: { ...model, byte_fallback: true } }, "found byte fallback or word affixes, wanted plain"],
  ["word suffixes", { model: { ...model, end_of_word_suffix: "</w>" } }, "found byte fallback or word affixes"],
  [
    "another pre-tokenizer",
    { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "ByteLevel" }, { type: "Metaspace" }] } },
    "found the pre_tokenizer Metaspace, wanted ByteLevel, Digits, Split or a Sequence of them; " + advice,
  ],
  ["no pre-tokenizer", { pre_tokenizer: null }, "found no ByteLevel pre_tokenizer, wanted one"],
  ["another normalizer", { normalizer: { type: "Lowercase" } }, "found the normalizer Lowercase, wanted NFC, NFD"],
  ["another post-processor", { post_processor: { type: "BertProcessing" } }, "found the post_processor BertProcessing"],
  [
    "an added token that takes spaces",
    { added_tokens: [added] },
    'the added token "<mask>" with single_word, lstrip or rstrip',
  ],
  ["no model", { model: undefined, added_tokens: [] }, "at model found nothing, wanted object; correct the file"],
  [
    "a split pattern that is no regular expression",
    {
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [{ type: "Split", pattern: { Regex: "(" }, behavior: "Isolated", invert: false }, {
          type: "ByteLevel",
        }],
      },
    },
    "fetch the file again",
  ],
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
    await assertRejects(() => Tokenizer.load(dir), FileError, `Cannot read ${path}: there is no such file or folder`);
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

Deno.test("flattenPart() lists the steps of nested sequences in order", () => {
  const leaf = (type: string) => ({ type });
  const nested = {
    type: "Sequence",
    pretokenizers: [leaf("A"), { type: "Sequence", pretokenizers: [leaf("B"), leaf("C")] }, leaf("D")],
  };
  assertEquals(flattenPart(nested).map((step) => step.type), ["A", "B", "C", "D"]);
  assertEquals(flattenPart({ type: "Sequence", processors: [leaf("E")] }), [leaf("E")]);
  assertEquals(flattenPart(null), []);
});
