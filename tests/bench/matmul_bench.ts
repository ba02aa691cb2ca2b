/**
 * Matrix products against other WebGPU libraries and the arithmetic peak of the device.
 *
 * @module
 */
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { bf16ToF32, toBf16 } from "../../src/checkpoint/half.ts";
import { type PeakWork, peakWork } from "../../src/evaluation/doctor/roofline.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import type { Comparison } from "./comparison.ts";
import { type BenchContext, recorded } from "./context.ts";
import { uniform } from "./operands.ts";
import { jaxPeers, type PeerProduct, tfjsPeers } from "./peers.ts";
import { race, type Timing } from "./race.ts";

/** Sizes, with the least factors by which the fastest peer should be beaten with f32 and with bf16 weights. */
const SIZES: readonly { rows: number; inner: number; cols: number; f32: number; bf16?: number }[] = [
  { rows: 256, inner: 256, cols: 256, f32: 5 },
  { rows: 512, inner: 512, cols: 512, f32: 6, bf16: 10 },
  { rows: 1024, inner: 1024, cols: 1024, f32: 5 },
  { rows: 16, inner: 576, cols: 1536, f32: 5 },
  { rows: 128, inner: 576, cols: 1536, f32: 5, bf16: 10 },
  { rows: 16, inner: 576, cols: 49152, f32: 5 },
];

/** Least shares of the arithmetic peak, per cent. */
const SHARES = { f32: 18, bf16: 25 };

/** Outputs of each product that are checked against float64. */
const CHECKED = 64;

/**
 * Checks some outputs of a product against float64.
 *
 * @throws {Error} If one is off by more than rounding allows.
 */
export function checkProduct(name: string, product: PeerProduct, got: Float32Array, seed: number): void {
  const { rows, inner, cols, a, b } = product;
  if (got.length !== rows * cols) throw new Error(`${name} gave ${got.length} outputs, wanted ${rows * cols}`);
  const random = new SeededRandom(seed, "checked outputs");
  for (let i = 0; i < CHECKED; i++) {
    const row = random.below(rows);
    const col = random.below(cols);
    let want = 0;
    let size = 0;
    for (let k = 0; k < inner; k++) {
      const term = a[row * inner + k]! * b[col * inner + k]!;
      want += term;
      size += Math.abs(term);
    }
    const error = Math.abs(got[row * cols + col]! - want);
    if (!(error <= 2 * inner * 2 ** -24 * size)) {
      throw new Error(`${name} is wrong at [${row}, ${col}]: got ${got[row * cols + col]}, wanted ${want}`);
    }
  }
}

const gflops = ({ rows, inner, cols }: PeerProduct, { bestMs }: Timing): number =>
  2 * rows * inner * cols / bestMs / 1e6;

function describe(product: PeerProduct, timing: Timing): string {
  return `${timing.name}: ${timing.bestMs.toPrecision(3)} ms, ${gflops(product, timing).toPrecision(3)} GFLOP/s`;
}

/** Lines of one way to store the weight: against the fastest peer, and as a share of the peak. */
function linesOf(
  product: PeerProduct,
  dtype: "f32" | "bf16",
  mine: Timing,
  theirs: readonly Timing[],
  peak: number,
  goal: number | undefined,
): Comparison[] {
  const fastest = theirs.reduce((x, y) => (y.bestMs < x.bestMs ? y : x));
  const what = `${dtype} matmul ${product.rows} x ${product.inner} x ${product.cols}`;
  const common = { bench: "matmul", ours: describe(product, mine) } as const;
  return [
    {
      ...common,
      what: `${what}, fastest peer`,
      against: theirs.map((timing) => describe(product, timing)).join("; "),
      value: fastest.bestMs / mine.bestMs,
      unit: "x",
      ...(goal === undefined ? {} : { goal: { side: "at least", value: goal } as const }),
    },
    {
      ...common,
      what: `${what}, share of the arithmetic peak`,
      against: `multiply-adds: ${peak.toPrecision(3)} GFLOP/s`,
      value: 100 * gflops(product, mine) / peak,
      unit: "%",
      goal: { side: "at least", value: SHARES[dtype] },
    },
  ];
}

async function compare(
  context: BenchContext,
  size: typeof SIZES[number],
  work: PeakWork,
): Promise<Comparison[]> {
  const { gpu, seed, rounds } = context;
  const { stream } = gpu;
  const { rows, inner, cols } = size;
  const product: PeerProduct = {
    rows,
    inner,
    cols,
    a: uniform(seed, `a ${rows} x ${inner}`, rows * inner),
    b: uniform(seed, `b ${cols} x ${inner}`, cols * inner),
  };
  const halves = toBf16(product.b);
  using a = gpu.upload(product.a, [rows, inner], "bench a");
  using b = gpu.upload(product.b, [cols, inner], "bench b");
  using half = gpu.upload(new Uint8Array(halves.buffer), [cols, inner], "bench b as bf16", "bf16");
  using out = gpu.tensor([rows, cols], "bench product");
  const peers = [...await jaxPeers(product), ...await tfjsPeers(product)];
  try {
    const full = recorded(gpu, "f32 nt", () => void matmulNt(stream, { a, b }, { out }));
    const bf16 = recorded(gpu, "bf16 nt", () => void matmulNt(stream, { a, b: half }, { out }));
    for (const [contender, weights] of [[full, product.b], [bf16, bf16ToF32(halves)]] as const) {
      await contender.run(1);
      const [got] = await stream.read(out);
      checkProduct(contender.name, { ...product, b: weights }, got as Float32Array, seed);
    }
    for (const peer of peers) checkProduct(peer.name, product, await peer.result(), seed);
    const bound = recorded(gpu, "multiply-adds", work.record);
    const timings = await race([full, bf16, bound, ...peers], { rounds });
    const [mine, withHalf, adds, ...theirs] = timings as [Timing, Timing, Timing, ...Timing[]];
    const peak = work.operations / adds.bestMs / 1e6;
    return [
      ...linesOf(product, "f32", mine, theirs, peak, size.f32),
      ...linesOf(product, "bf16", withHalf, theirs, peak, size.bf16),
    ];
  } finally {
    for (const peer of peers) peer.dispose();
  }
}

/** Measures products as weights are stored (`nt`) against the fastest peer in either layout. */
export async function matmulBench(context: BenchContext): Promise<Comparison[]> {
  using work = peakWork(context.gpu);
  const found: Comparison[] = [];
  for (const size of SIZES) {
    context.onStage(`matmul ${size.rows} x ${size.inner} x ${size.cols}`);
    found.push(...await compare(context, size, work));
  }
  return found;
}
