import { assertEquals, assertGreater } from "@std/assert";
import { join } from "node:path";
import { TextStream, Tokenizer } from "../../src/model/tokenizer.ts";
import { withTokenizer } from "./tokenizer_variants.ts";

const WORLD = "fixtures/world/world-gptj";

interface Golden {
  text: string;
  ids: number[];
  offsets: [number, number][];
  decoded: string;
}

const goldens: Golden[] = JSON.parse(await Deno.readTextFile("fixtures/goldens/tokenizer/world.json"));
const tokenizer = await Tokenizer.load(WORLD);

Deno.test("Tokenizer.encodeWithOffsets() gives the ids and offsets of the Python library on 2000 strings", () => {
  assertEquals(goldens.length, 2000);
  for (const { text, ids, offsets } of goldens) {
    const got = tokenizer.encodeWithOffsets(text);
    assertEquals(got.ids, ids, JSON.stringify(text));
    assertEquals(got.offsets, offsets, JSON.stringify(text));
    assertEquals(got.tokens.length, ids.length);
    assertEquals(tokenizer.encode(text), ids);
  }
});

Deno.test("Tokenizer.decode() gives the text of the Python library on 2000 strings", () => {
  for (const { ids, decoded } of goldens) assertEquals(tokenizer.decode(ids), decoded);
});

Deno.test("Tokenizer.decode() leaves out special tokens on demand and unknown ids always", () => {
  assertEquals(tokenizer.decode([65, 0, 66]), "a<|endoftext|>b");
  assertEquals(tokenizer.decode([65, 0, 66], { skipSpecial: true }), "ab");
  assertEquals(tokenizer.decode([65, 2566, -1, 66]), "ab");
  assertEquals(tokenizer.decode([]), "");
});

Deno.test("Tokenizer.tokenText() is readable for every kind of token", () => {
  const [paris] = tokenizer.encode(" Paris");
  assertEquals(tokenizer.tokenText(paris!), " Paris");
  assertEquals(tokenizer.tokenText(0), "<|endoftext|>");
  assertEquals(tokenizer.tokenText(2566), "<id 2566>");
  const face = tokenizer.encodeWithOffsets("\u{1f642}");
  assertEquals(face.tokens, ["<0xF0>", "<0x9F>", "<0x99>", "<0x82>"]);
  assertEquals(face.offsets, [[0, 2], [0, 2], [0, 2], [0, 2]]);
});

Deno.test("Tokenizer knows its size and the begin and end tokens of config.json", () => {
  assertEquals([tokenizer.size, tokenizer.bosId, tokenizer.eosId], [2560, 0, 0]);
});

Deno.test("TextStream gives only whole characters and in the end the same text as decode()", () => {
  const stream = new TextStream(tokenizer);
  const ids = tokenizer.encode("a \u{1f642}b");
  assertEquals(ids.map((id) => stream.push(id)), ["a", " ", "", "", "", "\u{1f642}", "b"]);
  assertEquals(stream.end(), "");
  const torn = new TextStream(tokenizer);
  assertEquals(ids.slice(0, 4).map((id) => torn.push(id)), ["a", " ", "", ""]);
  assertEquals(torn.end(), "\ufffd");
  for (const { text, ids } of goldens.slice(0, 300)) {
    const whole = new TextStream(tokenizer);
    assertEquals(ids.map((id) => whole.push(id)).join("") + whole.end(), tokenizer.decode(ids), text);
  }
});

Deno.test("Tokenizer.load() takes the file or its folder", async () => {
  const byFile = await Tokenizer.load(join(WORLD, "tokenizer.json"));
  assertEquals(byFile.encode("The capital of"), tokenizer.encode("The capital of"));
  assertEquals(byFile.eosId, 0);
});

const NFC = { normalizer: { type: "NFC" } };
const byteLevel = (trim: boolean, prefix: boolean): Record<string, unknown> => ({
  type: "ByteLevel",
  add_prefix_space: prefix,
  trim_offsets: trim,
  use_regex: true,
});
const template = {
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: "<|endoftext|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  pair: [{ Sequence: { id: "A", type_id: 0 } }],
  special_tokens: { "<|endoftext|>": { id: "<|endoftext|>", ids: [0], tokens: ["<|endoftext|>"] } },
};
const qwenSplit = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
  "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const spaces = {
  id: 2560,
  content: "  ",
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: true,
  special: false,
};

/** Changes to the world's tokenizer.json, with what Python `tokenizers` 0.23.3 gives for them. */
const VARIANTS: [string, Record<string, unknown>, [string, number[], [number, number][]][]][] = [
  ["NFC", NFC, [
    ["cafe\u0301 x", [67, 65, 70, 792, 221, 88], [[0, 1], [1, 2], [2, 3], [3, 4], [5, 6], [6, 7]]],
    ["\u1112\u1161\u11ab", [170, 244, 251], [[0, 1], [0, 1], [0, 1]]],
    ["a\u0323\u0307 x", [158, 119, 95, 137, 230, 221, 88], [[0, 1], [0, 1], [0, 1], [2, 3], [2, 3], [3, 4], [4, 5]]],
    ["b\u0f75b", [66, 157, 122, 110, 157, 122, 113, 66], [
      [0, 1],
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
      [2, 3],
    ]],
    ["<|endoftext|>\u0338 x", [0, 137, 117, 221, 88], [[0, 13], [13, 14], [13, 14], [14, 15], [15, 16]]],
  ]],
  ["trimmed offsets", { post_processor: byteLevel(true, false) }, [
    ["  hi  there ", [221, 315, 73, 221, 262, 267, 221], [
      [1, 1],
      [2, 3],
      [3, 4],
      [5, 5],
      [6, 9],
      [9, 11],
      [12, 12],
    ]],
    ["a b", [65, 311], [[0, 1], [2, 3]]],
  ]],
  ["a prefix space", {
    pre_tokenizer: byteLevel(true, true),
    post_processor: byteLevel(true, true),
  }, [
    ["hi  there", [315, 73, 221, 262, 267], [[0, 1], [1, 2], [3, 3], [4, 7], [7, 9]]],
    ["\ud808\udc00 hi", [221, 173, 241, 223, 223, 315, 73], [
      [0, 0],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [3, 4],
      [4, 5],
    ]],
    [" hi", [315, 73], [[0, 2], [2, 3]]],
  ]],
  ["a template", { post_processor: { type: "Sequence", processors: [byteLevel(true, false), template] } }, [
    ["hi there", [0, 851, 262, 267], [[0, 0], [0, 2], [3, 6], [6, 8]]],
    ["", [0], [[0, 0]]],
  ]],
  ["a split of its own", {
    ...NFC,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: qwenSplit }, behavior: "Isolated", invert: false },
        { ...byteLevel(false, false), use_regex: false },
      ],
    },
  }, [
    ["a  \u0085b it's 42\n\n x", [65, 221, 221, 127, 228, 66, 261, 84, 1180, 221, 20, 18, 199, 199, 221, 88], [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [3, 4],
      [4, 5],
      [5, 7],
      [7, 8],
      [8, 10],
      [10, 11],
      [11, 12],
      [12, 13],
      [13, 14],
      [14, 15],
      [15, 16],
      [16, 17],
    ]],
  ]],
  ["an added token of spaces", { ...NFC, added_tokens: [spaces] }, [
    ["a   b", [65, 2560, 311], [[0, 1], [1, 3], [3, 5]]],
  ]],
];

for (const [name, changes, cases] of VARIANTS) {
  Deno.test(`Tokenizer.encodeWithOffsets() gives the values of the Python library with ${name}`, () =>
    withTokenizer(changes, {}, async (path) => {
      const variant = await Tokenizer.load(path);
      assertGreater(cases.length, 0);
      for (const [text, ids, offsets] of cases) {
        const got = variant.encodeWithOffsets(text);
        assertEquals([got.ids, got.offsets], [ids, offsets], JSON.stringify(text));
      }
    }));
}

Deno.test("Tokenizer.encode() leaves out the template on demand", () =>
  withTokenizer({ post_processor: template }, {}, async (path) => {
    const variant = await Tokenizer.load(path);
    assertEquals(variant.encode("hi there"), [0, ...tokenizer.encode("hi there")]);
    assertEquals(variant.encode("hi there", { addSpecialTokens: false }), tokenizer.encode("hi there"));
  }));

Deno.test("Tokenizer splits on the white space of Unicode, not of JavaScript", () => {
  const model = { type: "BPE", vocab: { "\u0120": 0, "\u0120\u0120": 1, b: 2 }, merges: ["\u0120 \u0120"] };
  return withTokenizer({ model, added_tokens: [] }, {}, async (path) => {
    const spaces = await Tokenizer.load(path);
    // U+0085 is white space: the three make one run, whose first two spaces merge. U+FEFF is none.
    assertEquals(spaces.encode("  \u0085b"), [1, 2]);
    assertEquals(spaces.encode("  \ufeffb"), [0, 0, 2]);
  });
});

Deno.test("Tokenizer splits the numbers of Unicode one by one where its file says so", async () => {
  const vocab = { "\u00c2": 0, "\u00bd": 1, "\u00c2\u00bd": 2, "\u00c2\u00bd\u00c2\u00bd": 3 };
  const model = { type: "BPE", vocab, merges: ["\u00c2 \u00bd", "\u00c2\u00bd \u00c2\u00bd"] };
  for (const [individual, wanted] of [[true, [2, 2]], [false, [3]]] as const) {
    const digits = { type: "Digits", individual_digits: individual };
    const split = { type: "Sequence", pretokenizers: [digits, byteLevel(true, false)] };
    await withTokenizer({ model, added_tokens: [], pre_tokenizer: split }, {}, async (path) => {
      assertEquals((await Tokenizer.load(path)).encode("\u00bd\u00bd"), [...wanted]);
    });
  }
});

Deno.test("Tokenizer passes over bytes that its vocabulary does not have and places what follows as the Python library does", () =>
  withTokenizer({ added_tokens: [], model: { type: "BPE", vocab: { a: 0, c: 1 }, merges: [] } }, {}, async (path) => {
    const small = await Tokenizer.load(path);
    assertEquals(small.encodeWithOffsets("abcba"), {
      ids: [0, 1, 0],
      tokens: ["a", "c", "a"],
      offsets: [[0, 1], [1, 2], [2, 3]],
    });
    assertEquals(small.encode("bbb"), []);
  }));
