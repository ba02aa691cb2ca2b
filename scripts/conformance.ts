/** `deno task conformance`: checks every golden case below a folder. */
import { Command } from "commander";
import { describeOutcome, runConformance, tally } from "../src/evaluation/conformance/run_conformance.ts";
import { Gpu } from "../src/gpu/gpu.ts";
import { type CommonFlags, handOut, run } from "./cli/command.ts";
import { type GpuFlags, gpuOptions, withVariantFlag } from "./cli/gpu_options.ts";

const program = withVariantFlag(new Command("deno task conformance"))
  .description("Computes every golden case below a folder and compares it with its stored values.")
  .argument("<dir>", "folder with cases, at any depth")
  .option("--out <path>", "file to write the result to, as JSON")
  .option("--json", "print the result as JSON alone")
  .addHelpText("after", "\nExample:\n  deno task conformance fixtures/goldens")
  .showHelpAfterError("(--help shows the flags)")
  .exitOverride();

await run(program, async (signal) => {
  const flags = program.opts<Pick<CommonFlags, "out" | "json"> & GpuFlags>();
  using gpu = await Gpu.open(gpuOptions(flags));
  const outcomes = await runConformance(gpu, program.args[0]!, {
    signal,
    onOutcome: (outcome) => {
      if (!flags.json) console.log(describeOutcome(outcome));
    },
  });
  const counts = tally(outcomes);
  const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  await handOut(flags, { ...counts, cases: outcomes }, line);
  if (counts.failed > 0) Deno.exit(1);
});
