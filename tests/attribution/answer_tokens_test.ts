import { assertEquals } from "@std/assert";
import { answerTokens, rivalTokens } from "../../src/attribution/answer_tokens.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { TOKENIZER } from "../model/model_files.ts";

const tokenizer = await Tokenizer.load(TOKENIZER);

Deno.test("answerTokens() puts a space before an answer without white space, and keeps what is there", () => {
  const text = (answer: string): string => tokenizer.decode(answerTokens(tokenizer, answer), { continues: true });
  assertEquals(["Buenos Aires", " Paris", "\nParis"].map(text), [" Buenos Aires", " Paris", "\nParis"]);
});

Deno.test("rivalTokens() takes the first token of each answer once, and not the target's", () => {
  const [paris, berlin, rome] = ["Paris", "Berlin", "Rome"].map((answer) => answerTokens(tokenizer, answer)[0]!);
  const others = ["Berlin", " Paris", " Berlin is large", rome!, "Rome", "", paris!];
  assertEquals(rivalTokens(tokenizer, others, paris!), [berlin!, rome!]);
  assertEquals(rivalTokens(tokenizer, ["Paris"], paris!), []);
});
