/** `deno task notebooks`: runs the notebooks and keeps, compares or type checks what their cells give. */
import { basename, join, resolve } from "node:path";
import { command, type CommonFlags, prepareFolder, run, UsageError, wholeNumber } from "./cli/command.ts";
import { FileError } from "../src/checkpoint/file_error.ts";
import { writeFileAtomic } from "../src/checkpoint/write_file.ts";
import { Progress } from "../src/display/progress.ts";
import { compareOutputs } from "../src/evaluation/notebook/compare_outputs.ts";
import { exportAndCheck } from "../src/evaluation/notebook/export_cells.ts";
import { KernelError } from "../src/evaluation/notebook/kernel_client.ts";
import { formatNotebook, readNotebook } from "../src/evaluation/notebook/notebook_file.ts";
import { runNotebook } from "../src/evaluation/notebook/run_notebook.ts";

const FOLDER = "notebooks";

const program = command(
  "notebooks",
  "Runs notebooks with the Deno kernel and writes their outputs back, or into --out.",
  "deno task notebooks --check notebooks/01_edit_a_fact.ipynb",
  { without: ["seed"], out: "folder to write the notebooks to, with their outputs (default: where they are)" },
)
  .argument("[files...]", `notebooks; by default all in ${FOLDER}/`)
  .option("--check", "compare with the outputs in the files and change nothing")
  .option("--export <dir>", "write the code cells as modules and check their types, without running them")
  .option("--time-limit <s>", "time that a cell may take, in seconds", wholeNumber, 600);

interface Flags extends Omit<CommonFlags, "seed"> {
  check?: boolean;
  export?: string;
  timeLimit: number;
}

await run(program, async (signal) => {
  const flags = program.opts<Flags>();
  if (flags.check && flags.export !== undefined) throw new UsageError("Cannot use --check with --export: choose one");
  if (flags.timeLimit === 0) throw new UsageError("Cannot run a cell in 0 s: give --time-limit 1 or more");
  for (const folder of [flags.out, flags.export]) if (folder !== undefined) await prepareFolder(folder);
  const files = program.args.length > 0 ? program.args : await allNotebooks();
  // Without the flag a notebook chooses its model itself.
  const env = program.getOptionValueSource("model") === "cli" ? { NOTEBOOK_MODEL: resolve(flags.model) } : {};
  const results: { file: string; problems: string[] }[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const problems = flags.export === undefined
      ? await runOne(file, flags, env, signal)
      : await exportOne(file, flags.export);
    results.push({ file, problems });
    if (!flags.json) console.log([`${problems.length === 0 ? "ok" : "failed"} ${file}`, ...problems].join("\n  "));
  }
  if (flags.json) console.log(JSON.stringify(results));
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  if (failed > 0) {
    throw new FileError(files.join(", "), `${failed} of ${results.length} notebooks failed; see the lines above`);
  }
});

async function allNotebooks(): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(FOLDER)) {
    if (entry.isFile && entry.name.endsWith(".ipynb")) files.push(join(FOLDER, entry.name));
  }
  if (files.length === 0) throw new UsageError(`Cannot find a notebook in ${FOLDER}/: name the files to run`);
  return files.sort();
}

async function runOne(file: string, flags: Flags, env: Record<string, string>, signal: AbortSignal): Promise<string[]> {
  let progress: Progress | undefined;
  try {
    const { notebook, failure } = await runNotebook(file, {
      cellLimitMs: 1000 * flags.timeLimit,
      env,
      signal,
      onCell: (number, total) => {
        progress ??= new Progress(basename(file), total);
        progress.update(number - 1, `cell ${number}`);
      },
    });
    const differences = flags.check ? compareOutputs(notebook, await readNotebook(file)) : [];
    if (!flags.check) {
      const target = flags.out === undefined ? file : join(flags.out, basename(file));
      await writeFileAtomic(target, formatNotebook(notebook));
    }
    return failure === undefined ? differences : [`cell ${failure.cell}: ${failure.message}`];
  } catch (error) {
    // The terminal stops the kernel too, which is then no fault of the notebook.
    signal.throwIfAborted();
    // The notebooks after one that hangs still get their run.
    if (error instanceof KernelError) return [error.message];
    throw error;
  } finally {
    progress?.[Symbol.dispose]();
  }
}

async function exportOne(file: string, folder: string): Promise<string[]> {
  const { complaint } = await exportAndCheck(await readNotebook(file), folder);
  return complaint === undefined ? [] : [complaint];
}
