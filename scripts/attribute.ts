/** `deno task attribute`: which layers and neurons recall an answer. */
import { attribute } from "../src/attribution/attribute.ts";
import { NEURON_NAMES } from "../src/display/neuron_figure.ts";
import { terminalTable } from "../src/display/table.ts";
import { attributionTables } from "../src/evaluation/attribution_report.ts";
import { handOut, listOf, prepareFile, run, UsageError, wholeNumber } from "./cli/command.ts";
import { modelCommand, type ModelFlags, withModel } from "./cli/with_model.ts";

const program = modelCommand(
  "attribute",
  "Shows which layers and neurons raise the probability of an answer, and the tokens that those neurons promote. " +
    NEURON_NAMES,
  'deno task attribute --prompt "The capital of France is" --target Paris --alternatives Berlin,Rome',
  { without: ["seed"] },
)
  .requiredOption("--prompt <text>", "prompt whose answer is attributed")
  .option("--target <text>", "answer to score; the model's own if absent")
  .option("--top <n>", "neurons to show", wholeNumber, 20)
  .option("--alternatives <names>", "other answers to contrast with, parted by commas", listOf);

await run(program, async (signal) => {
  const flags = program.opts<
    Omit<ModelFlags, "seed"> & { prompt: string; target?: string; top: number; alternatives?: string[] }
  >();
  if (flags.prompt.trim() === "") throw new UsageError("Cannot attribute an empty prompt: give some text");
  if (flags.target?.trim() === "") throw new UsageError("Cannot attribute an empty --target: give some text");
  await prepareFile(flags.out);
  if (flags.top === 0) throw new UsageError("Cannot show 0 neurons: give --top 1 or more");
  await withModel(flags.model, flags, signal, async (model) => {
    const { prompt, top, alternatives } = flags;
    const target = ` ${(flags.target ?? await model.complete(prompt, { signal })).trim()}`;
    const found = await attribute(model, { prompt, target, top, signal, ...(alternatives ? { alternatives } : {}) });
    signal.throwIfAborted();
    const tables = attributionTables(found, top).map((table) => terminalTable(table));
    await handOut(flags, found, [`${prompt} ->${target}`, ...tables, ...found.notes].join("\n\n"));
  });
});
