import { assert, assertEquals, assertMatch } from "@std/assert";
import { withFolder } from "../checkpoint/files.ts";
import { assertReportShows, NO_CHROMIUM } from "../display/browser.ts";

const ROOT = new URL("../../", import.meta.url);

const CHAPTERS = [
  "1. What the model answers",
  "2. What recalls it",
  "3. The plan",
  "4. The edit",
  "5. Before and after",
];

/** Kinds of prompts in the last table, with what becomes of their answers. */
const GROUPS = [
  ["Edited fact", "changed"],
  ["Paraphrase", "changed"],
  ["Question", "changed"],
  ["Two hops, sentence", "changed"],
  ["Two hops, question", "changed"],
  ["Neighbours", "kept"],
  ["Two-hop neighbours", "kept"],
  ["Same subject", "kept"],
] as const;

const RECALL = [
  'What each layer adds to "Paris"',
  'Neurons that tell "Paris" from other answers',
  'Neurons that raise "Paris" most',
];
const FIGURES = [
  "Answers before and after the edit",
  ...RECALL,
  ...RECALL,
  "The layers that the edit uses",
  "The search for the new target",
];

Deno.test("demo runs to its end, tells the story in the terminal and writes a report that a browser shows", async (t) => {
  await withFolder(async (folder) => {
    const report = `${folder}/out/report.html`;

    await t.step("the terminal has every chapter, and the last table what was wanted", async () => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "scripts/demo.ts", "--out", `${folder}/out`],
        cwd: ROOT,
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder().decode(stdout);
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      let from = 0;
      for (const chapter of CHAPTERS) {
        const at = text.indexOf(`\n${chapter}`, from);
        assert(at >= 0, `no chapter "${chapter}" in its place:\n${text}`);
        from = at;
      }
      for (const [group, wanted] of GROUPS) {
        const row = text.slice(from).match(new RegExp(`^${group} +${wanted} +(\\d+) of (\\d+) `, "m"));
        assert(row !== null, `no row "${group}":\n${text}`);
        const [right, total] = [Number(row[1]), Number(row[2])];
        // The edit itself holds; of the others one may be lost.
        assert(right >= (group === "Edited fact" ? total : total - 1), row[0]);
      }
      assertMatch(text, /^The capital of France is +Paris/m);
      assertMatch(text, /Paris \(\S+\) +Berlin \(\S+\)$/m);
      assert(text.trimEnd().endsWith(`the report with figures is ${report}`), text);
    });

    await t.step(
      "the folder holds the report, with its figures, and the second moments, nothing half-written",
      async () => {
        const names = await Array.fromAsync(Deno.readDir(`${folder}/out`), ({ name }) => name);
        assertEquals(names.sort(), ["moments", "report.html"]);
        const html = await Deno.readTextFile(report);
        const captions = [...html.matchAll(/<figcaption[^>]*>([^<]*)/g)].map(([, text]) =>
          text!.replaceAll("&quot;", '"')
        );
        assertEquals(captions, FIGURES);
      },
    );

    await t.step({
      name: "the report opens in a browser without an error, a request or a blank figure, in light and dark",
      ignore: NO_CHROMIUM,
      fn: () => assertReportShows(report, FIGURES.length),
    });
  });
});
