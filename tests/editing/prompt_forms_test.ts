import { assertEquals } from "@std/assert";
import { asContinuation, countSlots, fillTemplate, questionPrompt } from "../../src/editing/prompt_forms.ts";

Deno.test("fillTemplate() takes the subject as it is, whatever stands in it", () => {
  assertEquals(fillTemplate("The capital of {} is", "France"), "The capital of France is");
  assertEquals(fillTemplate("{} was created by", "A$&B$1{}"), "A$&B$1{} was created by");
});

Deno.test("countSlots() counts the places of the subject", () => {
  assertEquals(["none", "{}", "{} and {}"].map(countSlots), [0, 1, 2]);
});

Deno.test("questionPrompt() asks in one line", () => {
  assertEquals(questionPrompt("What is the capital of France?"), "Q: What is the capital of France? A:");
});

Deno.test("asContinuation() puts exactly one space before an answer", () => {
  assertEquals(["Berlin", " Berlin", "  New York \n"].map(asContinuation), [" Berlin", " Berlin", " New York"]);
});
