import { describeConversion } from "../../src/checkpoint/load_report.ts";
import { formatBytes } from "../../src/display/bytes.ts";
import { formatDuration } from "../../src/display/duration.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";

/** Weights whose loading is worth a line: smaller models are there at once. */
const WORTH_A_LINE = 50e6;

/**
 * Loads a model and says on standard error what was done to its weights, how long a large one took, and the most memory
 * that the process has held.
 *
 * @throws As {@linkcode loadModel}.
 */
export async function loadedModel(gpu: Gpu, path: string, signal: AbortSignal): Promise<Model> {
  const begin = performance.now();
  const model = await loadModel(gpu, path, {
    signal,
    onConversions: (conversions) => conversions.forEach((line) => console.error(describeConversion(line))),
  });
  const { byteLength } = model.weights;
  if (byteLength > WORTH_A_LINE) {
    const time = formatDuration(performance.now() - begin);
    console.error(`Loaded ${formatBytes(byteLength)} of weights in ${time}; ${describePeak(await peakBytes())}`);
  }
  return model;
}

function describePeak(bytes: number | null): string {
  return bytes === null
    ? `memory of the process now ${formatBytes(Deno.memoryUsage().rss)}`
    : `peak memory of the process ${formatBytes(bytes)}`;
}

/** The most memory that this process has held, where the system tells. */
async function peakBytes(): Promise<number | null> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  return found ? 1024 * Number(found[1]) : null;
}
