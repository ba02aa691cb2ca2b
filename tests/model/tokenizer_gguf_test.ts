import { assertEquals, assertThrows } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { tokenizerFromGguf } from "../../src/model/tokenizer_gguf.ts";
import { assertSmolLm2, readFixture } from "./tokenizer/samples.ts";

type Metadata = Record<string, unknown>;

interface TokenizerJson {
  model: { vocab: Record<string, number>; merges: (string | [string, string])[] };
  added_tokens: { id: number; content: string; special: boolean }[];
}

/** The metadata that a converter writes for a byte-level tokenizer. */
function metadataOf({ model, added_tokens: added }: TokenizerJson, pre: string): Metadata {
  const tokens = Object.entries(model.vocab).sort((a, b) => a[1] - b[1]).map(([token]) => token);
  const types = tokens.map(() => 1);
  for (const { id, content, special } of added) {
    tokens[id] = content;
    types[id] = special ? 3 : 4;
  }
  return {
    "general.architecture": "llama",
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": pre,
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": types,
    "tokenizer.ggml.merges": model.merges.map((merge) => typeof merge === "string" ? merge : merge.join(" ")),
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": 0,
  };
}

Deno.test("tokenizerFromGguf() gives ids, offsets and text of the Python library for SmolLM2's vocabulary", async () => {
  // The same tokens, merges and types as in the metadata of the real file.
  const metadata = metadataOf(await readFixture("smollm2-tokenizer.json"), "smollm");
  const tokenizer = tokenizerFromGguf(
    { ...metadata, "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2 },
    "smollm2.gguf",
  );
  assertEquals([tokenizer.size, tokenizer.bosId, tokenizer.eosId], [49152, 1, 2]);
  await assertSmolLm2(tokenizer);
});

for (const [pre, style] of [["gpt-2", "gpt2"], ["llama-bpe", "llama3"], ["qwen2", "qwen2"], ["smollm", "smollm2"]]) {
  Deno.test(`tokenizerFromGguf() splits by the name ${pre} as the tokenizers of that family do`, async () => {
    const json = await readFixture<TokenizerJson>(`styles/${style}.tokenizer.json`);
    const tokenizer = tokenizerFromGguf(metadataOf(json, pre!), "x.gguf");
    const texts = await readFixture<string[]>("styles/texts.json");
    const goldens = await readFixture<{ ids: number[]; offsets: number[] }[]>(`styles/${style}.json`);
    for (const [i, { ids, offsets }] of goldens.entries()) {
      const got = tokenizer.encodeWithOffsets(texts[i]!);
      assertEquals(got.ids, ids, JSON.stringify(texts[i]));
      assertEquals(got.offsets.flat(), offsets, JSON.stringify(texts[i]));
    }
  });
}

interface Sentences {
  texts: string[];
  plain: { metadata: Metadata; ids: number[][]; decoded: string[] };
  tied: { metadata: Metadata; ids: number[][]; decoded: string[] };
  bare: { metadata: Metadata; ids: number[][]; decoded: string[] };
}

const pieces = await readFixture<Sentences>("sentence_piece.json");

for (const kind of ["plain", "tied", "bare"] as const) {
  Deno.test(`tokenizerFromGguf() gives ids and text of SentencePiece for the ${kind} model`, () => {
    const { metadata, ids, decoded } = pieces[kind];
    const tokenizer = tokenizerFromGguf(metadata, "x.gguf");
    for (const [i, text] of pieces.texts.entries()) {
      const got = tokenizer.encodeWithOffsets(text, { addSpecialTokens: false });
      assertEquals(got.ids, ids[i], JSON.stringify(text));
      assertEquals(tokenizer.decode(got.ids), decoded[i]);
      for (const [from, to] of got.offsets) assertEquals(0 <= from && from <= to && to <= text.length, true);
    }
  });
}

Deno.test("tokenizerFromGguf() marks texts as the metadata ask and cuts out control tokens", () => {
  const { metadata } = pieces.plain;
  const marked = (changes: Metadata): number[] => tokenizerFromGguf({ ...metadata, ...changes }, "x.gguf").encode("");
  assertEquals(marked({}), [1]);
  assertEquals(marked({ "tokenizer.ggml.add_bos_token": false }), []);
  assertEquals(marked({ "tokenizer.ggml.add_eos_token": true }), [1, 2]);
  const tokenizer = tokenizerFromGguf(metadata, "x.gguf");
  assertEquals(tokenizer.encodeWithOffsets("</s>").offsets, [[0, 0], [0, 4]]);
  assertEquals(tokenizer.encode("</s>"), [1, 2]);
});

Deno.test("Tokenizer.encode() puts nothing in front of a text that continues another, and decode() keeps its space", () => {
  const tokenizer = tokenizerFromGguf(pieces.plain.metadata, "x.gguf");
  const whole = tokenizer.encode("The capital of France", { addSpecialTokens: false });
  const parts = ["The capital", " of France"].map((text, i) =>
    tokenizer.encode(text, { continues: i > 0, addSpecialTokens: false })
  );
  assertEquals(parts.flat(), whole);
  assertEquals(tokenizer.decode(parts[1]!), "of France");
  assertEquals(tokenizer.decode(parts[1]!, { continues: true }), " of France");
});

const { "tokenizer.ggml.bos_token_id": _, ...unmarked } = pieces.plain.metadata;
const small: Metadata = {
  "tokenizer.ggml.model": "gpt2",
  "tokenizer.ggml.pre": "gpt-2",
  "tokenizer.ggml.tokens": ["a", "b", "ab"],
  "tokenizer.ggml.token_type": [1, 1, 1],
  "tokenizer.ggml.merges": ["a b"],
};

const REFUSED: [string, Metadata, string][] = [
  [
    "no kind",
    { ...small, "tokenizer.ggml.model": undefined },
    "found no metadata tokenizer.ggml.model, wanted its kind",
  ],
  [
    "no vocabulary",
    { "tokenizer.ggml.model": "gpt2" },
    "Cannot use the tokenizer of x.gguf: found no metadata tokenizer.ggml.tokens, wanted the vocabulary; " +
    "fetch the file again or name a tokenizer.json",
  ],
  ["an empty vocabulary", { ...small, "tokenizer.ggml.tokens": [] }, "at tokens found []"],
  ["another kind", { ...small, "tokenizer.ggml.model": "bert" }, 'a tokenizer of kind "bert", wanted gpt2 or llama'],
  ["a kind named like a method", { ...small, "tokenizer.ggml.model": "toString" }, 'a tokenizer of kind "toString"'],
  [
    "another pre-tokenizer",
    { ...small, "tokenizer.ggml.pre": "tekken" },
    'found the pre-tokenizer "tekken", wanted one of gpt-2, llama-bpe, qwen2, smollm',
  ],
  [
    "no pre-tokenizer",
    { ...small, "tokenizer.ggml.pre": undefined },
    "found no metadata tokenizer.ggml.pre, wanted one",
  ],
  ["no merges", { ...small, "tokenizer.ggml.merges": undefined }, "found no metadata tokenizer.ggml.merges"],
  ["no types", { ...small, "tokenizer.ggml.token_type": undefined }, "found no metadata tokenizer.ggml.token_type"],
  [
    "too few types",
    { ...small, "tokenizer.ggml.token_type": [1, 1] },
    "found 2 entries of tokenizer.ggml.token_type for 3 tokens, wanted one for each",
  ],
  ["a type of its own", { ...small, "tokenizer.ggml.token_type": [1, 1, 9] }, "at token_type.2 found 9"],
  [
    "too many scores",
    { ...pieces.plain.metadata, "tokenizer.ggml.scores": Array(901).fill(0) },
    "found 901 entries of tokenizer.ggml.scores for 900 tokens",
  ],
  [
    "no scores",
    { ...pieces.plain.metadata, "tokenizer.ggml.scores": undefined },
    "found no metadata tokenizer.ggml.scores, wanted the scores of a llama tokenizer",
  ],
  [
    "an id outside the vocabulary",
    { ...small, "tokenizer.ggml.eos_token_id": 3n },
    "found tokenizer.ggml.eos_token_id 3, wanted an id below 3",
  ],
  [
    "no begin token where texts begin with it",
    { ...unmarked, "tokenizer.ggml.add_bos_token": true },
    "found no metadata tokenizer.ggml.bos_token_id, wanted the token that texts are to be marked with",
  ],
  [
    "a token twice",
    { ...small, "tokenizer.ggml.tokens": ["a", "b", "a"] },
    'found the token "a" at 0 and at 2, wanted it once',
  ],
  ["a merge of unknown tokens", { ...small, "tokenizer.ggml.merges": ["b a"] }, 'without "ba" in the vocabulary'],
  [
    "a prefix of byte-level texts",
    { ...small, "tokenizer.ggml.add_space_prefix": true },
    "add_space_prefix with a gpt2",
  ],
  [
    "white space that is dropped",
    { ...pieces.plain.metadata, "tokenizer.ggml.remove_extra_whitespaces": true },
    "found tokenizer.ggml.remove_extra_whitespaces, wanted white space that is kept",
  ],
  [
    "a table of characters",
    { ...pieces.plain.metadata, "tokenizer.ggml.precompiled_charsmap": Uint8Array.of(1) },
    "found tokenizer.ggml.precompiled_charsmap, wanted a text that is not normalized",
  ],
  [
    "a token without end",
    {
      ...small,
      "tokenizer.ggml.model": "llama",
      "tokenizer.ggml.tokens": ["a", "b", "a".repeat(1001)],
      "tokenizer.ggml.scores": [0, 0, 0],
    },
    "found a token of 1001 units, wanted at most 1000",
  ],
];

for (const [name, metadata, message] of REFUSED) {
  Deno.test(`tokenizerFromGguf() refuses ${name}`, () => {
    assertThrows(() => tokenizerFromGguf(metadata, "x.gguf"), FileError, message);
  });
}
