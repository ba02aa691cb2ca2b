/** `deno task conformance`: checks every golden case below a folder. */
import { FileError } from "../src/checkpoint/file_error.ts";
import { describeOutcome, runConformance, tally } from "../src/evaluation/conformance/run_conformance.ts";
import { Gpu } from "../src/gpu/gpu.ts";
import { command, type CommonFlags, handOut, prepareFile, run } from "./cli/command.ts";
import { type GpuFlags, gpuOptions, withVariantFlag } from "./cli/gpu_options.ts";

const program = withVariantFlag(
  command(
    "conformance",
    "Computes every golden case below a folder and compares it with its stored values.",
    "deno task conformance fixtures/goldens",
    { without: ["model", "seed"] },
  ),
).argument("<dir>", "folder with cases, at any depth");

await run(program, async (signal) => {
  const flags = program.opts<Pick<CommonFlags, "out" | "json"> & GpuFlags>();
  const dir = program.args[0]!;
  await prepareFile(flags.out);
  using gpu = await Gpu.open(gpuOptions(flags));
  const outcomes = await runConformance(gpu, dir, {
    signal,
    onOutcome: (outcome) => {
      if (!flags.json) console.log(describeOutcome(outcome));
    },
  });
  signal.throwIfAborted();
  const counts = tally(outcomes);
  const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  await handOut(flags, { ...counts, cases: outcomes }, line);
  if (counts.failed > 0) Deno.exit(1);
  if (counts.passed === 0) {
    throw new FileError(
      dir,
      "Cannot tell whether anything holds: every case was skipped; see the reasons above, or give another folder",
    );
  }
});
