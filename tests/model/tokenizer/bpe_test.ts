import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Bpe, type BpeModel } from "../../../src/model/tokenizer/bpe.ts";
import { mergesFromScores } from "../../../src/model/tokenizer/sentence_piece.ts";

const EMPTY: BpeModel = {
  vocab: new Map(),
  merges: [],
  mergeRanks: null,
  unknown: null,
  fuseUnknown: false,
  byteFallback: false,
  ignoreMerges: false,
};

/** The definition: look for the best pair, merge it, begin again. */
function mergeSlowly(word: string, pairs: readonly (readonly [string, string])[], ranks: readonly number[]): string[] {
  const tokens = [...word];
  for (;;) {
    let best = -1;
    let rank = Infinity;
    for (let i = 0; i + 1 < tokens.length; i++) {
      const found = pairs.findIndex(([left, right]) => left === tokens[i] && right === tokens[i + 1]);
      if (found >= 0 && ranks[found]! < rank) [best, rank] = [i, ranks[found]!];
    }
    if (best < 0) return tokens;
    tokens.splice(best, 2, tokens[best]! + tokens[best + 1]!);
  }
}

Deno.test("Bpe.encode() merges as the definition does, ranks equal or not", () => {
  const words = fc.string({ unit: fc.constantFrom("a", "b", "\u2581", "\u{1f642}"), minLength: 2, maxLength: 5 });
  const scores = fc.integer({ min: -3, max: 0 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "\u2581", "\u{1f642}"), maxLength: 30 });
  fc.assert(
    fc.property(fc.uniqueArray(words, { maxLength: 12 }), fc.array(scores, { minLength: 12, maxLength: 12 }), text, (
      made,
      scores,
      word,
    ) => {
      const letters = ["a", "b", "\u2581", "\u{1f642}"].map((text) => ({ text, score: -9 }));
      const pieces = [...letters, ...made.map((text, i) => ({ text, score: scores[i]! }))];
      const { merges, ranks } = mergesFromScores(pieces);
      const vocab = new Map(pieces.map(({ text }, id) => [text, id]));
      const tokens = new Bpe({ ...EMPTY, vocab, merges, mergeRanks: ranks }).encode(word);
      const spelled = tokens.ids.map((id) => pieces[id]!.text);
      assertEquals(spelled, mergeSlowly(word, merges, ranks));
      assertEquals([...tokens.lengths], spelled.map((token) => new TextEncoder().encode(token).length));
    }),
    { seed: 3, numRuns: 500 },
  );
});

Deno.test("Bpe.encode() falls back to bytes, else to the unknown token, as the Python library does", () => {
  const vocab = new Map([["a", 0], ["<0x62>", 1], ["<unk>", 2]]);
  const model = { ...EMPTY, vocab, unknown: "<unk>", byteFallback: true };
  // The run of unknown characters waits for the next known one, so the byte comes first; so it does there.
  assertEquals(new Bpe({ ...model, fuseUnknown: true }).encode("axxbxa"), { ids: [0, 1, 2, 0], lengths: [1, 1, 3, 1] });
  assertEquals(new Bpe(model).encode("axxba"), { ids: [0, 2, 1, 2, 0], lengths: [1, 1, 1, 1, 1] });
  assertEquals(new Bpe({ ...EMPTY, vocab }).encode("xay"), { ids: [0], lengths: [1] });
  // What is left out does not stand between its neighbours.
  const merges = new Map([["a", 0], ["b", 1], ["ab", 2]]);
  assertEquals(new Bpe({ ...EMPTY, vocab: merges, merges: [["a", "b"]] }).encode("axb"), { ids: [2], lengths: [2] });
});

Deno.test("Bpe.encode() takes a word that is a token whole where merges are to be ignored", () => {
  const model = { ...EMPTY, vocab: new Map([["a", 0], ["b", 1], ["ab", 2]]) };
  assertEquals(new Bpe(model).encode("ab").ids, [0, 1]);
  assertEquals(new Bpe({ ...model, ignoreMerges: true }).encode("ab"), { ids: [2], lengths: [2] });
});

Deno.test("mergesFromScores() gives every way to make a piece the rank of its score", () => {
  const pieces = [["a", -9], ["b", -9], ["aa", -1], ["aab", 0], ["ab", -1], ["zz", 0]].map(([text, score]) => ({
    text: text as string,
    score: score as number,
  }));
  assertEquals(mergesFromScores(pieces), {
    merges: [["a", "ab"], ["aa", "b"], ["a", "a"], ["a", "b"]],
    ranks: [0, 0, 1, 1],
  });
});
