/**
 * The flags of commands that run a model, and the model for the time of a command.
 *
 * @module
 */
import { type Command, InvalidArgumentError } from "commander";
import { writeFileAtomic } from "../../src/checkpoint/write_file.ts";
import { terminalTable } from "../../src/display/table.ts";
import { measureRoofline } from "../../src/evaluation/doctor/roofline.ts";
import { chromeTrace, kernelTimes, profileTable } from "../../src/evaluation/profile_report.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Model } from "../../src/model/model.ts";
import { command, type CommandForm, type CommonFlags, prepareFile } from "./command.ts";
import { type GpuFlags, gpuOptions, withVariantFlag } from "./gpu_options.ts";
import { loadedModel } from "./loaded_model.ts";
import { modelPath } from "./model_path.ts";

/** Flags of commands that run a model. */
export interface ModelFlags extends CommonFlags, GpuFlags {
  /** File for the trace of a profile. */
  profile?: string;
}

/** Makes a command with the common flags and those of commands that run a model. */
export function modelCommand(name: string, description: string, example: string, form: CommandForm = {}): Command {
  return withVariantFlag(command(name, description, example, form))
    .option("--max-memory <size>", "most GPU memory, for example 500MB or 8GiB; refuses what needs more", byteSize)
    .option("--profile <file>", "time every kernel, print a table, and write a trace for chrome://tracing");
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Parses a number of bytes with a unit: 500MB, 8GiB, 1000000. */
export function byteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(|[KMG]i?)B?$/.exec(text.trim());
  if (!match) throw new InvalidArgumentError("Wanted a size such as 500MB, 8GiB or a number of bytes.");
  return Math.floor(Number(match[1]) * UNITS[match[2]!]!);
}

/** Opens the GPU and a model for the time of `body`, under a profile where one is asked for; `signal` stops the loading. */
export async function withModel<T>(
  dir: string,
  flags: Pick<ModelFlags, "profile" | keyof GpuFlags>,
  signal: AbortSignal,
  body: (model: Model) => Promise<T>,
): Promise<T> {
  await prepareFile(flags.profile);
  const path = await modelPath(dir);
  using gpu = await Gpu.open(gpuOptions(flags));
  using model = await loadedModel(gpu, path, signal);
  return flags.profile === undefined ? await body(model) : await profiled(gpu, flags.profile, () => body(model));
}

/** Runs `body` under a profile; its table goes to standard error, so that `--json` stays JSON alone. */
async function profiled<T>(gpu: Gpu, file: string, body: () => Promise<T>): Promise<T> {
  const { result, launches } = await gpu.stream.profile(body);
  const times = kernelTimes(launches, await measureRoofline(gpu));
  console.error(`\n${terminalTable(profileTable(times))}`);
  await writeFileAtomic(file, chromeTrace(launches));
  console.error(`Trace: ${file}; open it at chrome://tracing or ui.perfetto.dev`);
  return result;
}
