/**
 * Softmax and norms of rows against other WebGPU libraries.
 *
 * @module
 */
import { layerNorm } from "../../kernels/layer_norm.ts";
import { rmsNorm } from "../../kernels/rms_norm.ts";
import { softmax } from "../../kernels/softmax.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import { normBound } from "../kernels/norm_bounds.ts";
import { assertWithin } from "../kernels/operands.ts";
import { softmaxBound } from "../kernels/softmax_bounds.ts";
import { normRow } from "../reference/norms.ts";
import { softmaxRow } from "../reference/softmax.ts";
import type { Comparison } from "./comparison.ts";
import { type BenchContext, recorded } from "./context.ts";
import { uniform } from "./operands.ts";
import { race, type Timing } from "./race.ts";
import { jaxRowPeer, type RowOperands, type RowOperation, tfjsRowPeer } from "./row_peers.ts";

const ROWS = 1024;
const WIDTH = 1024;

/** Least factor by which the fastest peer should be beaten. */
const GOAL = 6;

/** Rows of each result that are checked against float64. */
const CHECKED = 8;

/** Bytes that an operation cannot avoid moving: every value once in and once out. */
const BYTES = 2 * 4 * ROWS * WIDTH;

/** Checks some rows of a result against the float64 twin, within the bounds that rounding in f32 allows. */
function checkRows(
  name: string,
  operation: RowOperation,
  operands: RowOperands,
  got: Float32Array,
  seed: number,
): void {
  const { rows, width, weight, eps } = operands;
  const random = new SeededRandom(seed, "checked rows");
  for (let i = 0; i < CHECKED; i++) {
    const row = random.below(rows);
    const x = operands.x.subarray(row * width, (row + 1) * width);
    const part = got.subarray(row * width, (row + 1) * width);
    const bias = operation === "layer norm" ? operands.bias : null;
    if (operation === "softmax") assertWithin(part, softmaxRow(x), softmaxBound(x), `${name} row ${row}`);
    else assertWithin(part, normRow(x, weight, bias, eps), normBound(x, weight, bias, eps), `${name} row ${row}`);
  }
}

async function compare(context: BenchContext, operation: RowOperation): Promise<Comparison> {
  const { gpu, seed, rounds } = context;
  const { stream } = gpu;
  const operands: RowOperands = {
    rows: ROWS,
    width: WIDTH,
    x: uniform(seed, "rows", ROWS * WIDTH),
    weight: uniform(seed, "row weight", WIDTH),
    bias: uniform(seed, "row bias", WIDTH),
    eps: 1e-5,
  };
  using x = gpu.upload(operands.x, [ROWS, WIDTH], "bench rows");
  using weight = gpu.upload(operands.weight, [WIDTH], "bench row weight");
  using bias = gpu.upload(operands.bias, [WIDTH], "bench row bias");
  using out = gpu.tensor([ROWS, WIDTH], "bench row results");
  const { eps } = operands;
  const record = {
    "softmax": () => void softmax(stream, { x }, { out }),
    "layer norm": () => void layerNorm(stream, { x, weight, bias }, { eps, out }),
    "RMS norm": () => void rmsNorm(stream, { x, weight }, { eps, out }),
  }[operation];
  record();
  const [got] = await stream.read(out);
  checkRows("ours", operation, operands, got as Float32Array, seed);
  const peers = [await jaxRowPeer(operation, operands), await tfjsRowPeer(operation, operands)];
  try {
    for (const peer of peers) checkRows(peer.name, operation, operands, await peer.result(), seed);
    const timings = await race([recorded(gpu, operation, record), ...peers], { rounds });
    const [mine, ...theirs] = timings as [Timing, ...Timing[]];
    const fastest = theirs.reduce((x, y) => (y.bestMs < x.bestMs ? y : x));
    return {
      bench: "rows",
      what: `${operation}, ${ROWS} x ${WIDTH}, fastest peer`,
      ours: `${mine.bestMs.toPrecision(3)} ms, ${(BYTES / mine.bestMs / 1e6).toPrecision(3)} GB/s`,
      against: theirs.map(({ name, bestMs }) => `${name}: ${bestMs.toPrecision(3)} ms`).join("; "),
      value: fastest.bestMs / mine.bestMs,
      unit: "x",
      goal: { side: "at least", value: GOAL },
    };
  } finally {
    for (const peer of peers) peer.dispose();
  }
}

/** Measures softmax, layer norm and RMS norm against the fastest peer. */
export async function rowsBench(context: BenchContext): Promise<Comparison[]> {
  const found: Comparison[] = [];
  for (const operation of ["softmax", "layer norm", "RMS norm"] as const) {
    context.onStage(`${operation} ${ROWS} x ${WIDTH}`);
    found.push(await compare(context, operation));
  }
  return found;
}
