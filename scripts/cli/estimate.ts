import { formatBytes } from "../../src/display/bytes.ts";
import { formatDuration } from "../../src/display/duration.ts";
import { terminalTable } from "../../src/display/table.ts";
import { measureRates } from "../../src/evaluation/estimate/rates.ts";
import {
  answerBytes,
  type EditSizes,
  estimateStages,
  unfitTensors,
  USUAL_SIZES,
} from "../../src/evaluation/estimate/stages.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Dtype } from "../../src/gpu/tensor.ts";
import { loadConfig } from "../../src/model/load_model.ts";
import { largestWeight, parameterCounts, USUAL_TOKENS } from "../../src/model/memory.ts";
import { handOut, prepareFile } from "./command.ts";
import { type GpuFlags, gpuOptions } from "./gpu_options.ts";
import { modelPath } from "./model_path.ts";
import type { ModelFlags } from "./with_model.ts";

/** How the weights of a model without weights are counted: what models of this size are published in. */
const DTYPE: Dtype = "bf16";

/**
 * Prints what loading a model and one edit in chain mode would take on this device, from its config.json alone.
 *
 * @param flags `--model` is a GGUF file or a folder with a config.json, which needs no weights; `--max-memory` stands in
 * for the device's memory.
 */
export async function printEstimate(
  flags: Pick<ModelFlags, "model" | "out" | "json" | keyof GpuFlags>,
  signal: AbortSignal,
): Promise<void> {
  await prepareFile(flags.out);
  const config = await loadConfig(await modelPath(flags.model));
  using gpu = await Gpu.open(gpuOptions(flags));
  const rates = await measureRates(gpu, DTYPE, signal);
  signal.throwIfAborted();
  const { bindingBytes, limits: { maxBufferSize: bufferBytes } } = gpu;
  const device = { rates, bindingBytes, bufferBytes };
  const stages = estimateStages(config, DTYPE, device);
  const { total } = parameterCounts(config);
  const [load] = stages;
  const peakBytes = load!.gpuBytes + Math.max(...stages.slice(1).map(({ gpuBytes }) => gpuBytes));
  const available = gpu.availableBytes === Number.MAX_SAFE_INTEGER ? null : gpu.availableBytes;
  const largest = largestWeight(config, DTYPE);
  const rows = stages.map(({ stage, gpuBytes, hostBytes, seconds }) => [
    stage,
    formatBytes(gpuBytes),
    formatBytes(hostBytes),
    formatDuration(1000 * seconds),
  ]);
  const right = (header: string) => ({ header, align: "right" as const });
  const columns = [{ header: "stage" }, right("GPU memory"), right("computer"), right("time")];
  const tooLarge = unfitTensors(stages, device);
  const verdicts = [
    ...tooLarge.map(({ stage, name, bytes, holder, limit }) =>
      `Does not fit: "${stage}" needs one ${holder} for the ${name}, ${
        formatBytes(bytes)
      }; one of ${gpu.adapterName} ` +
      `holds ${formatBytes(limit)}`
    ),
    available === null
      ? `Needs ${formatBytes(peakBytes)} of GPU memory; ${gpu.adapterName} tells no limit`
      : peakBytes <= available
      ? `${tooLarge.length === 0 ? "Fits" : "Memory suffices"}: needs ${formatBytes(peakBytes)} of the ${
        formatBytes(available)
      } available on ${gpu.adapterName}`
      : `Does not fit: needs ${formatBytes(peakBytes)}, ${formatBytes(available)} are available on ${gpu.adapterName}`,
    `Largest weight: ${largest.name}, ${formatBytes(largest.bytes)}; a buffer holds ${formatBytes(bufferBytes)}`,
  ];
  const text = [
    `${config.family}, ${(total / 1e9).toFixed(2)} billion parameters, weights as ${DTYPE}`,
    "",
    terminalTable({ columns, rows }),
    "",
    ...verdicts,
    `An answer of ${USUAL_TOKENS} tokens takes ${formatBytes(answerBytes(config, USUAL_TOKENS))} more`,
    assumed(USUAL_SIZES),
    `Measured here: products ${rates.matmulGflops.toFixed(1)} GFLOP/s, second moments ` +
    `${rates.rankKGflops.toFixed(1)}, factorisation ${rates.choleskyGflops.toFixed(1)} (on the CPU ${
      rates.cpuCholeskyGflops.toFixed(1)
    }), upload ` +
    `${rates.uploadGBs.toFixed(1)} GB/s`,
  ].join("\n");
  const result = {
    config,
    parameters: total,
    dtype: DTYPE,
    rates,
    stages,
    peakBytes,
    availableBytes: available,
    bindingBytes,
    bufferBytes,
    tooLarge,
    largest,
  };
  await handOut(flags, result, text);
}

function assumed({ supportPrompts, preservedPrompts, promptTokens, steps, momentTokens, depth }: EditSizes): string {
  return `Assumed: one edit in chain mode at ${
    Math.round(100 * depth)
  } % of the depth, ${supportPrompts} support and ` +
    `${preservedPrompts} preserved prompts of ${promptTokens} tokens, ${steps} search steps at most, ` +
    `${momentTokens} tokens of text for second moments, counted once`;
}
