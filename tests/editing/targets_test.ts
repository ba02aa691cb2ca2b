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
