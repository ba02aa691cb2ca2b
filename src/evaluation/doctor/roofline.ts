/**
 * Peaks of the device that every kernel is measured against.
 *
 * @module
 */
import { probeCopy } from "../../../kernels/probe_copy.ts";
import { OPERATIONS_PER_ROUND, probeMultiplyAdd } from "../../../kernels/probe_multiply_add.ts";
import { probeRead } from "../../../kernels/probe_read.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { runsSideBySide } from "../../gpu/traits.ts";
import { bestMs, type TimingOptions } from "./timing.ts";

/** What the device reaches at best. */
export interface Roofline {
  /** f32 multiply-adds on independent chains, 1e9 operations a second; a multiply-add is two. */
  multiplyAddGflops: number;
  /** Reading neighbouring quads of f32, 1e9 bytes a second. */
  readGBs: number;
  /** Copying likewise, 1e9 bytes read a second; as many are written. */
  copyGBs: number;
}

/** Bytes read and copied: past the caches of a core or of a GPU, within the smallest usual binding. */
const BYTES = { cpu: 1 << 25, gpu: 1 << 27 };

/** Chains of a CPU driver fill its vectors with few threads; a GPU needs a hundred thousand to be busy. */
const THREADS = { cpu: 8192, gpu: 1 << 18 };

/** Rounds of 16 steps: a launch takes milliseconds on either. */
const ROUNDS = { cpu: 256, gpu: 512 };

/** A device whose threads run one vector after the other is busy with less work. */
function kindOf(gpu: Gpu): "cpu" | "gpu" {
  return runsSideBySide(gpu.traits) ? "gpu" : "cpu";
}

/** Multiply-adds on independent chains, ready to be timed. */
export interface PeakWork extends Disposable {
  /** Records the work once. */
  readonly record: () => void;
  /** Floating-point operations of one call. */
  readonly operations: number;
}

/** Makes the work that the arithmetic peak is measured by; its chains tend to 2, so they stay finite and normal. */
export function peakWork(gpu: Gpu): PeakWork {
  const kind = kindOf(gpu);
  const threads = THREADS[kind];
  const rounds = ROUNDS[kind];
  const start = gpu.zeros([threads], "probe start");
  const out = gpu.tensor([threads], "probe sums");
  return {
    record: () => void probeMultiplyAdd(gpu.stream, { start }, { rounds, factor: 0.5, summand: 1, out }),
    operations: threads * rounds * OPERATIONS_PER_ROUND,
    [Symbol.dispose]: () => {
      start.dispose();
      out.dispose();
    },
  };
}

/** Measures arithmetic, reading and copying. */
export async function measureRoofline(gpu: Gpu, options: TimingOptions = {}): Promise<Roofline> {
  const bytes = Math.min(BYTES[kindOf(gpu)], gpu.limits.maxStorageBufferBindingSize);
  using work = peakWork(gpu);
  const multiplyAddGflops = work.operations / await bestMs(gpu, work.record, options) / 1e6;
  using x = gpu.zeros([Math.floor(bytes / 16) * 4], "probe source");
  let readMs: number;
  {
    using first = probeRead(gpu.stream, { x });
    readMs = await bestMs(gpu, () => probeRead(gpu.stream, { x }, { out: first }), options);
  }
  using out = gpu.tensor(x.shape, "probe target");
  const copyMs = await bestMs(gpu, () => probeCopy(gpu.stream, { x }, { out }), options);
  return { multiplyAddGflops, readGBs: bytes / readMs / 1e6, copyGBs: bytes / copyMs / 1e6 };
}
