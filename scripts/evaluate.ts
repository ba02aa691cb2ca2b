/** `deno task evaluate`: measures editing methods on a suite of cases. */
import { Option } from "commander";
import { dirname, join } from "node:path";
import { Progress } from "../src/display/progress.ts";
import { terminalTable } from "../src/display/table.ts";
import { DEMO_CONFIGURATIONS, DEMO_ROW_SCHEMA, type DemoRow } from "../src/evaluation/demo_row.ts";
import { summarizeDemo } from "../src/evaluation/demo_summary.ts";
import { demoNotes, demoTable } from "../src/evaluation/demo_table_report.ts";
import { type DemoWorld, loadDemoWorld } from "../src/evaluation/demo_world.ts";
import { ResultsFile } from "../src/evaluation/results_file.ts";
import { resumeDemo } from "../src/evaluation/resume_demo.ts";
import { SharedMoments } from "../src/evaluation/shared_moments.ts";
import { oneOf, run, someOf, UsageError, wholeNumber, wholeNumbers } from "./cli/command.ts";
import { modelCommand, type ModelFlags, withModel } from "./cli/with_model.ts";

interface EvaluateFlags extends Omit<ModelFlags, "model"> {
  model: string[];
  suite: "demo";
  world: string;
  method: ("ace" | "pmet" | "memit")[];
  mode: ("chain" | "paper")[];
  scoring: "published" | "contrast";
  cases?: number;
  seeds?: number[];
}

/** Seeds that chain mode's range is over where none is named. */
const CHAIN_SEEDS = [0, 1, 2];

const program = modelCommand(
  "evaluate",
  "Edits every case of a suite in every way, asks what followed and what stayed, and prints one table. A stopped run " +
    "goes on where it was.",
  "deno task evaluate --suite demo --out out/evaluate",
  {
    models: ["fixtures/world/world-qwen3", "fixtures/world/world-gptj"],
    out: 'folder of the results (default: "out/evaluate")',
  },
)
  .option("--suite <name>", "suite of cases: demo", oneOf(["demo"]), "demo")
  .option("--world <dir>", "folder with world.json, mquake.json and corpus.txt", "fixtures/world")
  .addOption(
    new Option("--method <names>", "some of pmet, memit and ace, parted by commas")
      .argParser(someOf(["pmet", "memit", "ace"])).default(["pmet", "memit", "ace"], "all"),
  )
  .addOption(
    new Option("--mode <names>", "of ace: paper, chain or both, parted by a comma")
      .argParser(someOf(["paper", "chain"])).default(["paper", "chain"], "both"),
  )
  .option(
    "--scoring <name>",
    "scores that choose paper mode's layers: published or contrast",
    oneOf(["published", "contrast"]),
    "published",
  )
  .option("--cases <n>", "only the first n cases", wholeNumber)
  .option(
    "--seeds <numbers>",
    "seeds, parted by commas (default: that of --seed, and 0, 1, 2 for chain mode)",
    wholeNumbers,
  );

/** Runs what is missing of one model, with a bar. */
async function evaluateModel(
  dir: string,
  world: DemoWorld,
  flags: EvaluateFlags,
  results: ResultsFile<DemoRow>,
  signal: AbortSignal,
): Promise<DemoRow[]> {
  const configurations = DEMO_CONFIGURATIONS.filter(({ method, mode }) =>
    flags.method.includes(method) && (method !== "ace" || flags.mode.includes(mode))
  );
  return await withModel(dir, flags, signal, async (model) => {
    let progress: Progress | undefined;
    const moments = new SharedMoments(model, {
      documents: world.documents,
      cacheDir: join(dirname(results.path), "moments"),
      signal,
      onProgress: (done, total) => progress?.advance(0, `second moments, ${done} of ${total} documents`),
    });
    const rows = await resumeDemo(model, world, results, {
      configurations,
      seeds: flags.seeds ?? [flags.seed],
      ...(flags.seeds === undefined && program.getOptionValueSource("seed") !== "cli"
        ? { chainSeeds: CHAIN_SEEDS }
        : {}),
      scoring: flags.scoring,
      moments,
      signal,
      ...(flags.cases === undefined ? {} : { limit: flags.cases }),
      onStart: (count) => progress = count > 0 ? new Progress(model.name, count) : undefined,
    }, ({ caseId, configuration }) => progress?.advance(1, `case ${caseId}, ${configuration}`))
      .finally(() => progress?.[Symbol.dispose]());
    progress?.finish();
    return rows;
  });
}

await run(program, async (signal, keep) => {
  const flags = program.opts<EvaluateFlags>();
  if (flags.cases === 0) throw new UsageError("Cannot evaluate 0 cases: give --cases 1 or more");
  using results = await ResultsFile.open(join(flags.out ?? "out/evaluate", `${flags.suite}.jsonl`), DEMO_ROW_SCHEMA);
  const world = await loadDemoWorld(flags.world);
  const rows: DemoRow[] = [];
  keep(() => `${results.rows.length} results are kept in ${results.path}; the same command goes on from there`);
  for (const dir of flags.model) rows.push(...await evaluateModel(dir, world, flags, results, signal));
  if (rows.length === 0) {
    throw new RangeError(
      `Cannot evaluate ${flags.model.join(", ")}: found no case of ${flags.world} that the model answers before any ` +
        "edit; choose a model that knows these facts, or another --world",
    );
  }
  const summaries = summarizeDemo(rows);
  if (flags.json) return console.log(JSON.stringify({ suite: flags.suite, results: results.path, summaries }));
  console.log(`${terminalTable(demoTable(summaries))}\n\n${demoNotes(summaries).join("\n")}`);
});
