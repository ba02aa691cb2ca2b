import { assertEquals } from "@std/assert";
import { editPosition, targetIds } from "../../src/editing/edit_token.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { TOKENIZER } from "../model/model_files.ts";

const tokenizer = await Tokenizer.load(TOKENIZER);

/** Text of the token at the edit position. */
function tokenAt(template: string, subject: string, token: "subject_last" | "last"): string {
  const ids = tokenizer.encode(template.replace("{}", () => subject));
  return tokenizer.decode([ids[editPosition(tokenizer, template, subject, token)]!]);
}

Deno.test("editPosition() finds the last token that meets the subject, wherever the subject stands", () => {
  for (const template of ["{} is in the country of", "The capital of {} is", "Many people went to {}"]) {
    for (const subject of ["France", "Vijayawada Junction railway station", "St Lucia", "Zürich", "Côte d'Ivoire"]) {
      const ids = tokenizer.encode(template.replace("{}", () => subject));
      const position = editPosition(tokenizer, template, subject, "subject_last");
      // Up to and with this token the whole subject is written, and without it it is not.
      const end = template.replace("{}", () => subject).indexOf(subject) + subject.length;
      const written = (count: number): number => tokenizer.decode(ids.slice(0, count)).length;
      assertEquals([written(position + 1) >= end, written(position) >= end], [true, false], `${template} ${subject}`);
    }
  }
});

Deno.test("editPosition() takes the slot's place, not an earlier mention of the subject", () => {
  assertEquals(tokenAt("France and Spain: the capital of {} is", "France", "subject_last"), " France");
  const ids = tokenizer.encode("France and Spain: the capital of France is");
  assertEquals(
    editPosition(tokenizer, "France and Spain: the capital of {} is", "France", "subject_last"),
    ids.length - 2,
  );
});

Deno.test("editPosition() takes the last token of the prompt if asked to", () => {
  assertEquals(tokenAt("The capital of {} is", "France", "last"), " is");
  assertEquals(tokenAt("Many people went to {}", "France", "last"), " France");
});

Deno.test("editPosition() is not misled by replacement patterns in a subject", () => {
  const subject = "$& and $1";
  assertEquals(
    editPosition(tokenizer, "Who made {}?", subject, "subject_last"),
    tokenizer.encode(`Who made ${subject}`).length - 1,
  );
});

Deno.test("targetIds() puts exactly one space before the answer", () => {
  const ids = targetIds(tokenizer, "Buenos Aires");
  assertEquals(tokenizer.decode(ids), " Buenos Aires");
  assertEquals(targetIds(tokenizer, "  Buenos Aires\n"), ids);
});
