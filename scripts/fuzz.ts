/** `deno task fuzz`: feeds damaged input to everything that reads what comes from outside. */
import { Progress } from "../src/display/progress.ts";
import { terminalTable } from "../src/display/table.ts";
import { formatDuration } from "../src/display/duration.ts";
import { type FuzzReport, type FuzzTarget } from "../tests/fuzz/target.ts";
import { fuzzTargets } from "../tests/fuzz/targets.ts";
import { handOut, listOf, prepareFile, run, UsageError, wholeNumber } from "./cli/command.ts";
import { modelCommand, type ModelFlags, withModel } from "./cli/with_model.ts";

const program = modelCommand(
  "fuzz",
  "Feeds damaged files and any text to every reader; only errors of our own may come out. The seed repeats a run.",
  "deno task fuzz --runs 10000 --only safetensors,patch",
)
  .option("--runs <n>", "inputs for each target", wholeNumber, 1000)
  .option("--only <names>", "targets, parted by commas; all if absent", listOf);

function chosen(all: readonly FuzzTarget[], only: readonly string[] | undefined): readonly FuzzTarget[] {
  const names = all.map(({ name }) => name);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`Cannot fuzz ${JSON.stringify(unknown)}: wanted some of ${names.join(", ")}`);
  }
  return only ? all.filter(({ name }) => only.includes(name)) : all;
}

await run(program, async (signal) => {
  const flags = program.opts<ModelFlags & { runs: number; only?: string[] }>();
  if (flags.runs === 0) throw new UsageError("Cannot fuzz with 0 inputs: give --runs 1 or more");
  await prepareFile(flags.out);
  const dir = await Deno.makeTempDir({ prefix: "ace-webgpu-fuzz-" });
  try {
    await withModel(flags.model, flags, signal, async (model) => {
      const targets = chosen(await fuzzTargets(dir, model), flags.only);
      const results: (FuzzReport & { name: string })[] = [];
      {
        using progress = new Progress("fuzz", targets.length);
        for (const target of targets) {
          signal.throwIfAborted();
          const report = await target.run({ runs: flags.runs, seed: flags.seed });
          results.push({ name: target.name, ...report });
          progress.advance(1, target.name);
        }
        progress.finish();
      }
      signal.throwIfAborted();
      const right = (header: string) => ({ header, align: "right" as const });
      const columns = [{ header: "target" }, right("inputs"), right("read"), right("refused"), right("longest")];
      const rows = results.map(({ name, accepted, refused, longestMs }) => [
        name,
        String(accepted + refused),
        String(accepted),
        String(refused),
        formatDuration(longestMs),
      ]);
      const inputs = results.reduce((sum, { accepted, refused }) => sum + accepted + refused, 0);
      const text = `${terminalTable({ columns, rows })}\n\n${inputs} inputs, no other error, no hang`;
      await handOut(flags, { runs: flags.runs, seed: flags.seed, results }, text);
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
