import { matmulNt } from "../../../kernels/matmul_nt.ts";
import { rankK } from "../../../kernels/rank_k.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Dtype } from "../../gpu/tensor.ts";
import { Cholesky } from "../../linalg/cholesky.ts";
import { GpuCholesky } from "../../linalg/cholesky_gpu.ts";
import { matrix } from "../../linalg/dense.ts";
import { SeededRandom } from "../../linalg/seeded_random.ts";
import { bestMs } from "../doctor/timing.ts";

/** How fast this device does the work that an edit consists of. */
export interface KernelRates {
  /** Products of a prompt's rows with a stored weight, 1e9 operations a second. */
  readonly matmulGflops: number;
  /** Second moments, 1e9 operations a second, both halves counted. */
  readonly rankKGflops: number;
  /** Cholesky factorisation with its preparation on the host, 1e9 operations a second. */
  readonly choleskyGflops: number;
  /** Cholesky factorisation on the CPU in float64, 1e9 operations a second. */
  readonly cpuCholeskyGflops: number;
  /** Upload of weights, 1e9 bytes a second. */
  readonly uploadGBs: number;
}

/** Sizes measured: large enough for the rate of large products, small enough for a CPU driver. */
const ROWS = 64;
const WIDTH = 1024;
const FACTORED = 512;
const UPLOADED = 1 << 25;

/** A batch of 100 ms tells a rate to a few per cent, which is more than an estimate needs. */
const TIMING = { rounds: 2, batchMs: 100 };

/**
 * Measures the rates; weights hold zeros, which take as long as any.
 *
 * @param signal Stops after the present measurement.
 */
export async function measureRates(gpu: Gpu, dtype: Dtype, signal?: AbortSignal): Promise<KernelRates> {
  const { stream } = gpu;
  using a = gpu.zeros([ROWS, WIDTH], "rate operand");
  using b = gpu.zeros([WIDTH, WIDTH], "rate weight", dtype);
  using product = gpu.tensor([ROWS, WIDTH], "rate product");
  const matmulMs = await bestMs(gpu, () => void matmulNt(stream, { a, b }, { out: product }), TIMING);
  signal?.throwIfAborted();
  using moment = gpu.zeros([WIDTH, WIDTH], "rate moment");
  const rankMs = await bestMs(gpu, () => rankK(stream, { x: a, into: moment }), TIMING);

  signal?.throwIfAborted();
  const random = new SeededRandom(0, "rates");
  const spd = matrix(FACTORED, FACTORED, new Float64Array(FACTORED ** 2));
  for (let i = 0; i < FACTORED; i++) {
    for (let j = 0; j < i; j++) spd.data[i * FACTORED + j] = spd.data[j * FACTORED + i] = random.uniform();
    spd.data[i * FACTORED + i] = FACTORED;
  }
  const factorMs = await fastest(async () => {
    using _factor = await GpuCholesky.factor(stream, spd);
  });
  const cpuMs = await fastest(() => Promise.resolve(void new Cholesky(spd)));

  signal?.throwIfAborted();
  using target = gpu.tensor([UPLOADED / 4], "rate upload");
  const bytes = new Uint8Array(UPLOADED);
  const uploadMs = await fastest(async () => {
    gpu.write(target, bytes);
    await gpu.device.queue.onSubmittedWorkDone();
  });
  signal?.throwIfAborted();
  return {
    matmulGflops: 2 * ROWS * WIDTH ** 2 / matmulMs / 1e6,
    rankKGflops: 2 * ROWS * WIDTH ** 2 / rankMs / 1e6,
    choleskyGflops: FACTORED ** 3 / 3 / factorMs / 1e6,
    cpuCholeskyGflops: FACTORED ** 3 / 3 / cpuMs / 1e6,
    uploadGBs: UPLOADED / uploadMs / 1e6,
  };
}

/** Shorter of two runs after a first that compiles. */
async function fastest(body: () => Promise<void>): Promise<number> {
  await body();
  let best = Infinity;
  for (let round = 0; round < 2; round++) {
    const begin = performance.now();
    await body();
    best = Math.min(best, performance.now() - begin);
  }
  return best;
}
