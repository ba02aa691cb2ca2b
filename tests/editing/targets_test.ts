import { assertEquals } from "@std/assert";
import { targetIds } from "../../src/editing/edit_token.ts";
import { searchRows } from "../../src/editing/targets.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { TOKENIZER } from "../model/model_files.ts";

const tokenizer = await Tokenizer.load(TOKENIZER);

Deno.test("searchRows() takes prompt, subject and target as they are, replacement patterns among them", () => {
  const [subject, target] = ["$& of $1", "$' and $`"];
  const request = { prompt: "$$ made {} for", subject, target, editToken: "last" } as const;
  const rows = searchRows(tokenizer, request, [["{}"], ["It costs $1. {}"]]);
  const tail = tokenizer.decode(targetIds(tokenizer, target).slice(0, -1), { continues: true });
  assertEquals(rows.map(({ ids }) => tokenizer.decode(ids)), [
    `$$ made ${subject} for${tail}`,
    `It costs $1. $$ made ${subject} for${tail}`,
    `${subject} is a`,
  ]);
  for (const { ids, labels } of rows.slice(0, 2)) {
    const asked = [...ids, labels.at(-1)!.token].slice(-labels.length);
    assertEquals(tokenizer.decode(asked), ` ${target}`);
  }
});

Deno.test("searchRows() asks for each target token after the prompt and the ones before it, also inside a character", () => {
  const template = "The capital of {} is";
  const contexts = [["{}"], ["It rained. {}"]];
  for (const target of ["Tokyo", "東京", "Parisian \u{1F600}", "café"]) {
    const wanted = targetIds(tokenizer, target);
    const request = { prompt: template, subject: "Japan", target, editToken: "last" } as const;
    const rows = searchRows(tokenizer, request, contexts);
    for (const [i, context] of contexts.flat().entries()) {
      const prompt = tokenizer.encode(context.replace("{}", "The capital of Japan is"));
      const { ids, labels, edits } = rows[i]!;
      assertEquals(edits, [{ position: prompt.length - 1, slot: 0 }]);
      // What the model has read where it is asked for a token, and that token.
      const asked = labels.map(({ position, token }) => [...ids.slice(0, position + 1), token]);
      assertEquals(asked, wanted.map((_, j) => [...prompt, ...wanted.slice(0, j + 1)]), target);
    }
  }
});
