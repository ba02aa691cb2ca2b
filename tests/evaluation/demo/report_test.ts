import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { JSDOM } from "jsdom";
import { renderReport } from "../../../src/display/report.ts";
import { terminalTable } from "../../../src/display/table.ts";
import { demoReport } from "../../../src/evaluation/demo/report.ts";
import { answersTable, groupsTable } from "../../../src/evaluation/demo/tables_report.ts";
import { madeUpStory } from "./made_up_story.ts";

const story = await madeUpStory();
const report = demoReport(story);
const html = await renderReport(report);
const { document } = new JSDOM(html).window;
const texts = (selector: string): string[] =>
  [...document.querySelectorAll(selector)].map((element: { textContent: string }) =>
    element.textContent.replaceAll(/\s+/g, " ").trim()
  );

/** A table as its lines, each a list of cells. */
const lines = (text: string): string[][] => text.split("\n").map((line) => line.trim().split(/ {2,}/));

Deno.test("demoReport() tells the edit in its title and what followed at a glance", () => {
  assertEquals(texts("h1"), ["France: Paris \u2192 Berlin"]);
  const highlights = texts(".highlights li");
  assertEquals(highlights.length, 7);
  assertStringIncludes(highlights[0]!, "Edited fact1 of 1");
  assertStringIncludes(highlights[3]!, "Two hops, question12 of 12");
  assertStringIncludes(highlights[4]!, "Neighbours7 of 8");
  assertStringIncludes(highlights[6]!, "12 s");
});

Deno.test("demoReport() has the figures of the answers, both recalls, the plan and the search, drawn for both widths", () => {
  const recall = [
    'What each layer adds to "Paris"',
    'Neurons that tell "Paris" from other answers',
    'Neurons that raise "Paris" most',
  ];
  assertEquals(texts("figcaption"), [
    "Answers before and after the edit",
    ...recall,
    ...recall,
    "The layers that the edit uses",
    "The search for the new target",
  ]);
  assertEquals(document.querySelectorAll("figure svg.wide").length, 9);
  assertEquals(document.querySelectorAll("figure svg.narrow").length, 9);
});

Deno.test("demoReport() draws the story's numbers", () => {
  const ys = (section: number, figure: number): unknown[] =>
    report.sections[section]!.figures![figure]!(900).data.map(({ y }) => y);
  // Attention and FFN in the first panel, then their contrast, which the story has the other way round.
  assertEquals(ys(1, 0), [[0.5, 1.5, -0.25], [0.25, -0.5, 2.5], [0.25, -0.5, 2.5], [0.5, 1.5, -0.25]]);
  // The plan's first panel: the trial's error of the chosen layer and of the others.
  assertEquals(ys(3, 0).slice(0, 2), [[0.125], [0.875, 0.5]]);
  assertEquals(ys(3, 1), [[8, 4, 1, 0.25]]);
  const neurons = report.sections[1]!.figures![2]!(900).data.map(({ name, x }) => [name, x]);
  assertEquals(neurons, [["Attention neuron", [0.75]]]);
});

Deno.test("demoReport() lists reasons, settings, neurons with tokens, and every prompt", () => {
  assertEquals(texts("main li").slice(-2), [
    "Chain mode edits layer 2: because of this",
    "Query layer 0: because of that",
  ]);
  const facts = texts("dl.card").join();
  for (const part of ["2 one-hop and 3 two-hop prompts", "1 prompts", "layer 2 by 50.0 % of its norm", "Noyon"]) {
    assertStringIncludes(facts, part);
  }
  assertStringIncludes(texts("table").join(), 'L0.210.125" Lyon"');
  const rows = [...document.querySelectorAll("section:last-of-type tbody tr")];
  assertEquals(rows.length, story.asked.length);
  assertEquals(rows.filter((row) => row.querySelector("td.bad")).length, 1);
});

Deno.test("groupsTable() counts each kind and shows an example with probabilities", () => {
  const [head, , edited, , , , , neighbours] = lines(terminalTable(groupsTable(story.asked), { color: false }));
  assertEquals(head, ["kind", "wanted", "as wanted", "example", "before", "after"]);
  assertEquals(edited, [
    "Edited fact",
    "changed",
    "1 of 1",
    "The capital of France is",
    "Paris (0.90)",
    "Berlin (0.75)",
  ]);
  assertEquals(neighbours!.slice(0, 3), ["Neighbours", "kept", "7 of 8"]);
});

Deno.test("answersTable() shows the first prompt of each kind", () => {
  const { prompts } = story.setup;
  const table = lines(terminalTable(answersTable(prompts, story.asked.map(({ before }) => before)), { color: false }));
  assertEquals(table.length, 2 + 8);
  assertEquals(table[2], ["The capital of France is", "Paris", "0.900"]);
  assert(table.some(([prompt]) => prompt === story.setup.twoHop));
});
