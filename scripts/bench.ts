/** `deno task bench`: measures speed as ratios in one run, against other libraries and against simpler ways. */
import { Option } from "commander";
import { benchMarkdown } from "../tests/bench/comparison.ts";
import { smollm2File } from "../tests/bench/smollm2_file.ts";
import { BENCH_NAMES, runBench } from "../tests/bench/suite.ts";
import {
  command,
  type CommonFlags,
  handOut,
  prepareFile,
  run,
  someOf,
  UsageError,
  wholeNumber,
} from "./cli/command.ts";
import { type GpuFlags, withVariantFlag } from "./cli/gpu_options.ts";

const program = withVariantFlag(
  command(
    "bench",
    "Measures speed as ratios in one run, rounds interleaved, and prints a Markdown table.",
    "deno task bench --only matmul,search",
  ),
)
  .addOption(
    new Option("--only <parts>", `parts to run, parted by commas: ${BENCH_NAMES.join(", ")}`)
      .argParser(someOf(BENCH_NAMES)).default(BENCH_NAMES, "all"),
  )
  .option("--smollm2 <file>", "SmolLM2-135M-Instruct as GGUF (default: the .gguf in models/smollm2, if there is one)")
  .option("--rounds <n>", "timed rounds, the fastest of which counts", wholeNumber, 7);

await run(program, async (signal) => {
  const flags = program.opts<
    CommonFlags & GpuFlags & { only: typeof BENCH_NAMES; rounds: number; smollm2?: string }
  >();
  if (flags.rounds === 0) throw new UsageError("Cannot measure in 0 rounds: give --rounds 1 or more");
  await prepareFile(flags.out);
  const result = await runBench(flags.only, {
    modelDir: flags.model,
    smollm2: await smollm2File(flags.smollm2),
    seed: flags.seed,
    variant: flags.variant,
    rounds: flags.rounds,
    onStage: (stage) => {
      signal.throwIfAborted();
      console.error(`Measuring ${stage}`);
    },
    onSkip: (reason) => console.error(`Skipping ${reason}`),
  });
  signal.throwIfAborted();
  await handOut(flags, result, benchMarkdown(result));
});
