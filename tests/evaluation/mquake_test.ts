import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { loadMquake, parseMquake } from "../../src/evaluation/mquake.ts";

const PATH = "fixtures/world/mquake.json";
const RAW = JSON.parse(await Deno.readTextFile(PATH));

Deno.test("loadMquake() reads every case of the world models", async () => {
  const cases = await loadMquake(PATH);
  assertEquals(cases.map(({ id }) => id), RAW.map((entry: { case_id: number }) => entry.case_id));
  const first = cases[0];
  assertEquals(first.rewrites, [{
    prompt: "{} is in the country of",
    subject: "St Lucia",
    target: "Canada",
    oldTarget: "Australia",
    relation: "landmark_country",
  }]);
  assertEquals(first.triples, [["St Lucia", "landmark_country", "Australia"], [
    "Australia",
    "country_continent",
    "Oceania",
  ]]);
  assertEquals([first.answer, first.newAnswer, first.editedHops, first.heldOut], [
    "Oceania",
    "North America",
    [0],
    RAW[0].held_out,
  ]);
  assertEquals(first.hops[1], {
    question: "On which continent is Australia?",
    cloze: "The continent of Australia is",
    answer: "Oceania",
    aliases: [],
  });
});

Deno.test("parseMquake() tells the edited hops from the triples where the file does not say", () => {
  const published = RAW.map(({ edited_hops: _, held_out: __, cloze: ___, ...entry }: Record<string, unknown>) => entry);
  const cases = parseMquake(published, "published.json");
  assertEquals(
    cases.map(({ editedHops }) => editedHops),
    RAW.map((entry: { edited_hops: number[] }) => entry.edited_hops),
  );
  assertEquals([cases[0].cloze, cases[0].heldOut], [undefined, undefined]);
});

Deno.test("parseMquake() takes further spellings of the answer from both fields", () => {
  const entry = { ...RAW[0], answer_alias: ["Australasia"], answer_extended: ["Oz"], new_answer_alias: ["NA"] };
  const [parsed] = parseMquake([entry], "x.json");
  assertEquals([parsed.aliases, parsed.newAliases], [["Australasia", "Oz"], ["NA"]]);
});

Deno.test("parseMquake() names the place of a malformed part", async () => {
  assertThrows(
    () => parseMquake([{ ...RAW[0], answer: "" }], "bad.json"),
    FileError,
    'Cannot use bad.json: at 0.answer found "": wanted a text that is not empty',
  );
  assertThrows(
    () => parseMquake([{ ...RAW[0], orig: { ...RAW[0].orig, triples_labeled: [] } }], "bad.json"),
    FileError,
    "at 0.orig.triples_labeled found []: wanted 2, one a hop",
  );
  assertThrows(
    () => parseMquake({}, "bad.json"),
    FileError,
    "at the top level found {}, wanted array",
  );
  await assertRejects(() => loadMquake("fixtures/world/none.json"), FileError, "Cannot read fixtures/world/none.json");
});
