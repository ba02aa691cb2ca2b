/** `deno task demo`: the main job on the world models, told in the terminal and in `out/demo/report.html`. */
import { join } from "node:path";
import { writeFileAtomic } from "../src/checkpoint/write_file.ts";
import { formatDuration } from "../src/display/duration.ts";
import { renderReport } from "../src/display/report.ts";
import { StageProgress } from "../src/display/stage_progress.ts";
import { terminalTable } from "../src/display/table.ts";
import { loadFacts } from "../src/editing/facts.ts";
import { normalizeRequest, showRequest } from "../src/editing/requests.ts";
import { attributionTables } from "../src/evaluation/attribution_report.ts";
import { demoReport } from "../src/evaluation/demo/report.ts";
import { demoSetup } from "../src/evaluation/demo/setup.ts";
import { type StoryListener, tellStory } from "../src/evaluation/demo/story.ts";
import { answersTable, groupsTable } from "../src/evaluation/demo/tables_report.ts";
import { tallyGroups } from "../src/evaluation/demo/tally.ts";
import { fromFlags, prepareFolder, run } from "./cli/command.ts";
import { modelCommand, type ModelFlags, withModel } from "./cli/with_model.ts";
import { normLines } from "./cli/edit_text.ts";

const program = modelCommand(
  "demo",
  "Shows what recalls a fact, edits it, and shows what follows, on a small model that answers two-hop questions.",
  "deno task demo --model fixtures/world/world-gptj",
  { out: 'folder of the report (default: "out/demo")' },
)
  .option("--facts <file>", "facts of the model's world", "fixtures/world/world.json")
  .option("--prompt <text>", "prompt to edit, with {} for the subject", "The capital of {} is")
  .option("--subject <name>", "subject whose fact changes", "France")
  .option("--target <text>", "its new answer", "Berlin")
  .option("--head <name>", "held-out head of the two-hop prompt", "Noyon");

interface DemoFlags extends ModelFlags {
  facts: string;
  prompt: string;
  subject: string;
  target: string;
  head: string;
}

/** Chapters in the terminal; the first answers of a group stand for it. */
function teller(progress: StageProgress): StoryListener {
  const chapter = (title: string, ...parts: string[]): void => console.log(`\n${title}\n\n${parts.join("\n\n")}`);
  let hops = 0;
  return {
    onAnswers: (prompts, states) => chapter("1. What the model answers", terminalTable(answersTable(prompts, states))),
    onRecall: ({ prompt, attribution }) => {
      chapter(
        `${hops++ === 0 ? "2. What recalls it" : "   Over two hops"}: ${prompt}`,
        ...attributionTables(attribution, 6).map((table) => terminalTable(table)),
      );
    },
    onPlan: ({ plan }) => chapter("3. The plan", plan.reasons.map((reason) => `- ${reason}`).join("\n")),
    onProgress: (state) => progress.update(state),
    onEdit: (record, norms) => {
      progress.finish();
      chapter(`4. The edit: ${showRequest(record.requests[0]!)}`, normLines(record, norms).join("\n"));
    },
    onEnd: ({ asked }) => chapter("5. Before and after", terminalTable(groupsTable(asked))),
  };
}

await run(program, async (signal, keep) => {
  const flags = program.opts<DemoFlags>();
  const wish = { prompt: flags.prompt, subject: flags.subject, target: flags.target };
  fromFlags(() => normalizeRequest(wish));
  const out = flags.out ?? "out/demo";
  const momentsCache = join(out, "moments");
  await prepareFolder(out);
  keep(() => `Second moments counted so far are kept in ${momentsCache}; the same command takes them from there`);
  const setup = demoSetup(await loadFacts(flags.facts), wish, flags.head, flags.seed);
  await withModel(flags.model, flags, signal, async (model) => {
    using progress = new StageProgress();
    const story = await tellStory(model, setup, flags.json ? {} : teller(progress), {
      momentsCache,
      signal,
    });
    const path = join(out, "report.html");
    await writeFileAtomic(path, await renderReport(demoReport(story)));
    if (flags.json) {
      const { asked, planned, norms, record } = story;
      console.log(
        JSON.stringify({ groups: tallyGroups(asked), asked, plan: planned.plan, norms, record, report: path }),
      );
    } else {
      // Since the process began: loading, drawing the report and the time that the report calls the whole job.
      console.log(`\nDone in ${formatDuration(performance.now())}; the report with figures is ${path}`);
    }
  });
});
