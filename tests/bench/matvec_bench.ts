/**
 * Products of one row, as decoding a token takes them, against the read rate of the device.
 *
 * @module
 */
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { probeRead } from "../../kernels/probe_read.ts";
import { widen } from "../../kernels/widen.ts";
import { toDeviceBlocks } from "../../src/checkpoint/device_blocks.ts";
import { toBf16 } from "../../src/checkpoint/half.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import { randomBlocks } from "../reference/packed.ts";
import type { Comparison } from "./comparison.ts";
import { type BenchContext, recorded } from "./context.ts";
import { checkProduct } from "./matmul_bench.ts";
import { uniform } from "./operands.ts";
import { race, type Timing } from "./race.ts";

/** Sizes of SmolLM2-135M: up and down projection of the MLP, and the vocabulary. */
const SIZES = [{ inner: 576, cols: 1536 }, { inner: 1536, cols: 576 }, { inner: 576, cols: 49152 }];

/** Ways to store the weight, with the least share of the read rate, per cent. */
const STORED = [["f32", 80], ["bf16", 80], ["q4_1", undefined], ["q8_0", undefined]] as const;

/** Bytes that the read rate is measured over: past the caches of a core. */
const READ_BYTES = 1 << 25;

function weight(gpu: Gpu, seed: number, dtype: typeof STORED[number][0], inner: number, cols: number): Tensor {
  const shape = [cols, inner];
  const label = `bench ${dtype}`;
  if (dtype === "f32") return gpu.upload(uniform(seed, label, inner * cols), shape, label);
  if (dtype === "bf16") {
    return gpu.upload(new Uint8Array(toBf16(uniform(seed, label, inner * cols)).buffer), shape, label, dtype);
  }
  const random = new SeededRandom(seed, label, inner);
  const blocks = randomBlocks(dtype, inner * cols, () => random.uniform());
  return gpu.upload(toDeviceBlocks(dtype === "q4_1" ? "Q4_1" : "Q8_0", blocks), shape, label, dtype);
}

/** Measures y = W x with the weight stored in several ways. */
export async function matvecBench({ gpu, seed, rounds, onStage }: BenchContext): Promise<Comparison[]> {
  const { stream } = gpu;
  using source = gpu.zeros([READ_BYTES / 4], "bench source");
  using sums = probeRead(stream, { x: source });
  const found: Comparison[] = [];
  for (const { inner, cols } of SIZES) {
    onStage(`matvec ${inner} -> ${cols}`);
    using stack = new DisposableStack();
    const x = uniform(seed, `x ${inner}`, inner);
    const a = stack.use(gpu.upload(x, [1, inner], "bench x"));
    const out = stack.use(gpu.tensor([1, cols], "bench product"));
    const weights = STORED.map(([dtype]) => stack.use(weight(gpu, seed, dtype, inner, cols)));
    for (const b of weights) {
      using values = widen(stream, { weight: b });
      matmulNt(stream, { a, b }, { out });
      const [got, wide] = await stream.read(out, values);
      checkProduct(
        b.label,
        { rows: 1, inner, cols, a: x, b: wide as Float32Array<ArrayBuffer> },
        got as Float32Array,
        seed,
      );
    }
    const read = recorded(gpu, "read", () => void probeRead(stream, { x: source }, { out: sums }));
    const ways = weights.map((b) => recorded(gpu, b.dtype, () => void matmulNt(stream, { a, b }, { out })));
    const [bound, ...timings] = await race([read, ...ways], { rounds }) as [Timing, ...Timing[]];
    const rate = READ_BYTES / bound.bestMs / 1e6;
    for (const [i, { bestMs }] of timings.entries()) {
      const [dtype, goal] = STORED[i]!;
      const bytes = weights[i]!.byteLength;
      const gBs = bytes / bestMs / 1e6;
      found.push({
        bench: "matvec",
        what: `${dtype} matvec ${inner} -> ${cols}, share of the read rate`,
        ours: `${bestMs.toPrecision(3)} ms, ${gBs.toPrecision(3)} GB/s, ` +
          `${(inner * cols / bestMs / 1e6).toPrecision(3)} G weights/s`,
        against: `reading: ${rate.toPrecision(3)} GB/s`,
        value: 100 * gBs / rate,
        unit: "%",
        ...(goal === undefined ? {} : { goal: { side: "at least", value: goal } as const }),
      });
    }
  }
  return found;
}
