/** `deno task doctor`: describes the adapter, proves its features by running them, and measures its peaks and costs. */
import { diagnose } from "../src/evaluation/doctor/doctor.ts";
import { doctorText } from "../src/evaluation/doctor/doctor_report.ts";
import { command, type CommonFlags, handOut, prepareFile, run } from "./cli/command.ts";
import { type GpuFlags, gpuOptions, withVariantFlag } from "./cli/gpu_options.ts";

const program = withVariantFlag(
  command(
    "doctor",
    "Describes the adapter, proves its features by running them, and measures its peaks and costs.",
    "deno task doctor --json",
    { without: ["model", "seed"] },
  ),
);

await run(program, async (signal) => {
  const flags = program.opts<Omit<CommonFlags, "model" | "seed"> & GpuFlags>();
  await prepareFile(flags.out);
  const diagnosis = await diagnose({
    ...gpuOptions(flags),
    onStage: (stage) => {
      signal.throwIfAborted();
      console.error(`Examining ${stage}`);
    },
  });
  signal.throwIfAborted();
  await handOut(flags, diagnosis, doctorText(diagnosis));
});
