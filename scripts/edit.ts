/** `deno task edit`: computes an edit, shows what it does, and saves it. */
import { Option } from "commander";
import { StageProgress } from "../src/display/stage_progress.ts";
import { terminalTable } from "../src/display/table.ts";
import { edit } from "../src/editing/edit_model.ts";
import type { EditOptions } from "../src/editing/edit_options.ts";
import { loadFacts } from "../src/editing/facts.ts";
import { saveEdit } from "../src/editing/patch_file.ts";
import { fillTemplate } from "../src/editing/prompt_forms.ts";
import type { StagePlan } from "../src/editing/layer_plan.ts";
import { type EditRequest, normalizeRequest, readRequests } from "../src/editing/requests.ts";
import { answers } from "./cli/answers.ts";
import { fromFlags, handOut, oneOf, prepareFile, run, UsageError } from "./cli/command.ts";
import { modelCommand, type ModelFlags, withModel } from "./cli/with_model.ts";
import { dryRun } from "./cli/dry_run.ts";
import { printEstimate } from "./cli/estimate.ts";
import { normLines } from "./cli/edit_text.ts";

interface EditFlags extends ModelFlags {
  method: "ace" | "pmet" | "memit";
  mode: "chain" | "paper";
  scoring: "published" | "contrast";
  prompt?: string;
  subject?: string;
  target?: string;
  requests?: string;
  facts?: string;
  exclude: string[];
  corpus?: string;
  momentsCache?: string;
  save?: string;
  dryRun?: boolean;
  estimate?: boolean;
}

const program = modelCommand(
  "edit",
  "Computes an edit of one or several facts, shows the answers before and after, and saves it as a patch file.",
  'deno task edit --prompt "The capital of {} is" --subject France --target Berlin \\\n' +
    "    --facts fixtures/world/world.json --exclude Noyon --save out/berlin.safetensors",
)
  .option("--method <name>", "ace, pmet or memit", oneOf(["ace", "pmet", "memit"]), "ace")
  .option("--mode <name>", "of ace: chain or paper", oneOf(["chain", "paper"]), "chain")
  .option(
    "--scoring <name>",
    "scores that choose paper mode's layers: published or contrast",
    oneOf(["published", "contrast"]),
    "published",
  )
  .option("--prompt <text>", "prompt to edit, with {} for the subject")
  .option("--subject <name>", "subject whose fact changes")
  .option("--target <text>", "its new answer")
  .option("--requests <file>", "JSON file of requests instead of the three flags above")
  .option("--facts <file>", "facts file: other heads to learn from, siblings to keep; chain mode needs it")
  .addOption(
    new Option("--exclude <names...>", "heads and subjects set aside to judge the edit by").default([], "none"),
  )
  .option("--corpus <file>", "text whose knowledge is preserved; default: corpus.txt beside the facts file")
  .option("--moments-cache <dir>", "folder with second moments, read and written")
  .option("--save <file>", "patch file to write")
  .option("--dry-run", "show plan, memory and time; change nothing")
  .option("--estimate", "show memory and time of each stage from config.json alone; needs no weights and no request");

async function wishes({ prompt, subject, target, requests }: EditFlags): Promise<EditRequest[]> {
  const single = [prompt, subject, target];
  if (requests !== undefined) {
    if (single.some((part) => part !== undefined)) {
      throw new UsageError(
        "Cannot take --requests together with --prompt, --subject and --target: give one of the two",
      );
    }
    return await readRequests(requests);
  }
  if (prompt === undefined || subject === undefined || target === undefined) {
    throw new UsageError("Cannot edit without a request: give --prompt, --subject and --target, or --requests FILE");
  }
  return [fromFlags(() => normalizeRequest({ prompt, subject, target }))];
}

await run(program, async (signal, keep) => {
  const flags = program.opts<EditFlags>();
  if (flags.estimate) return await printEstimate(flags, signal);
  if (flags.method !== "ace" && program.getOptionValueSource("mode") === "cli") {
    throw new UsageError(`Cannot take --mode with method ${flags.method}: modes are of ace; leave one of the two out`);
  }
  if ((flags.method !== "ace" || flags.mode !== "paper") && program.getOptionValueSource("scoring") === "cli") {
    throw new UsageError("Cannot take --scoring without --mode paper: it chooses that mode's layers; leave it out");
  }
  const requests = await wishes(flags);
  const { method, mode, scoring, exclude, seed, corpus, momentsCache } = flags;
  const options: EditOptions = {
    method,
    mode,
    scoring,
    exclude,
    seed,
    signal,
    ...(flags.facts === undefined ? {} : { facts: await loadFacts(flags.facts) }),
    ...(corpus === undefined ? {} : { corpus }),
    ...(momentsCache === undefined ? {} : { momentsCache }),
  };
  for (const file of [flags.save, flags.out]) await prepareFile(file);
  if (momentsCache !== undefined) {
    keep(() => `Second moments counted so far are kept in ${momentsCache}; the same command takes them from there`);
  }
  await withModel(flags.model, flags, signal, async (model) => {
    if (flags.dryRun) return await dryRun(model, requests, options, flags);
    using progress = new StageProgress();
    using change = await edit(model, requests, { ...options, onProgress: (state) => progress.update(state) });
    progress.finish();
    const { record } = change;
    const before = await answers(model, record.requests, signal);
    change.apply();
    const after = await answers(model, record.requests, signal);
    signal.throwIfAborted();
    if (flags.save !== undefined) await saveEdit(change, flags.save);
    const columns = ["prompt", "wanted", "before", "after"].map((header) => ({ header }));
    const rows = record.requests.map(({ prompt, subject, target }, i) => [
      fillTemplate(prompt, subject),
      target,
      before[i]!,
      { text: after[i]!, tone: after[i] === target ? "good" as const : "bad" as const },
    ]);
    const saved = flags.save === undefined
      ? []
      : [`Saved as ${flags.save}; try it: deno task ask --patch ${flags.save} "..."`];
    const reasons = (record.plan as StagePlan).reasons.map((reason) => `- ${reason}`);
    const table = terminalTable({ columns, rows });
    const text = [table, "", ...reasons, "", ...normLines(record, change.norms()), ...saved].join("\n");
    await handOut(flags, { record, norms: change.norms(), before, after, save: flags.save }, text);
  });
});
