import { assertEquals } from "@std/assert";
import {
  chainOfThoughtAnswer,
  matchAnswer,
  matchQuestions,
  normalizeAnswer,
} from "../../src/evaluation/answer_matching.ts";

Deno.test("normalizeAnswer() folds case, width, spaces and what ends a sentence", () => {
  assertEquals(normalizeAnswer("  Paris. "), "paris");
  assertEquals(normalizeAnswer("Paris?!\nQ: What is"), "paris");
  assertEquals(normalizeAnswer("\uff30aris\u3002"), "paris");
  assertEquals(normalizeAnswer("New \u00a0 York"), "new york");
  assertEquals(normalizeAnswer("Gro\u00dfstadt"), normalizeAnswer("GROSSSTADT"));
  assertEquals(normalizeAnswer("Cafe\u0301"), "caf\u00e9");
  assertEquals(normalizeAnswer("\u039f\u0394\u039f\u03a3"), normalizeAnswer("\u03bf\u03b4\u03bf\u03c2"));
  assertEquals(normalizeAnswer("U.S."), "u.s");
  assertEquals(normalizeAnswer(" ... "), "");
});

Deno.test("matchAnswer() tells an exact answer from one with more words", () => {
  assertEquals(matchAnswer("PARIS.", ["Paris"]), { exact: true, contains: true });
  assertEquals(matchAnswer("The city of Paris, of course", ["Paris"]), { exact: false, contains: true });
  assertEquals(matchAnswer("Berlin", ["Paris"]), { exact: false, contains: false });
});

Deno.test("matchAnswer() takes any alias and no part of a word", () => {
  assertEquals(matchAnswer("USA", ["United States", "usa"]), { exact: true, contains: true });
  assertEquals(matchAnswer("Romania", ["Oman"]), { exact: false, contains: false });
  assertEquals(matchAnswer("Romania or Oman", ["Oman"]), { exact: false, contains: true });
  assertEquals(matchAnswer("", ["", "..."]), { exact: false, contains: false });
});

Deno.test("matchQuestions() is right when any wording is, and logs the first that was", () => {
  assertEquals(matchQuestions(["Berlin", "in Paris", "Paris", "Paris"], ["Paris"]), {
    exact: true,
    contains: true,
    exactAt: 2,
    containsAt: 1,
  });
  assertEquals(matchQuestions(["Berlin", "Rome", "Oslo"], ["Paris"]), {
    exact: false,
    contains: false,
    exactAt: null,
    containsAt: null,
  });
});

Deno.test("chainOfThoughtAnswer() takes the line behind the mark", () => {
  const text = "Noyon is in France. The capital of France is Paris.\nAnswer: Paris.\n\nQuestion: Next";
  assertEquals(chainOfThoughtAnswer(text), "Paris.");
  assertEquals(chainOfThoughtAnswer("France has Paris."), null);
  assertEquals(chainOfThoughtAnswer("Answer:"), "");
});
