/**
 * Cholesky factorisation and triangular solve against jax-js.
 *
 * @module
 */
import { CHOLESKY_BLOCK } from "../../kernels/cholesky_block.ts";
import { factorBlocks, GpuCholesky, solveBlocks } from "../../src/linalg/cholesky_gpu.ts";
import { matrix } from "../../src/linalg/dense.ts";
import type { Comparison } from "./comparison.ts";
import { type BenchContext, recorded } from "./context.ts";
import { jaxCholesky, jaxTriangularSolve } from "./linalg_peers.ts";
import { uniform } from "./operands.ts";
import { type Contender, race, type Timing } from "./race.ts";

const SIZE = 1024;

/** Right sides of the triangular solve. */
const COLUMNS = 64;

/** Least factor by which jax-js should be beaten. */
const GOAL = 10;

/** Rows and columns of each result that are checked in float64: every 37th, which meets all places of a block. */
const STRIDE = 37;

/** A symmetric matrix with diagonal 1, scaled already, and eigenvalues from about 0.3 to 1.7 (the semicircle law). */
function symmetricMatrix(seed: number): Float32Array<ArrayBuffer> {
  const random = uniform(seed, "symmetric", SIZE * SIZE);
  const a = new Float32Array(SIZE * SIZE);
  for (let i = 0; i < SIZE; i++) {
    a[i * SIZE + i] = 1;
    for (let j = 0; j < i; j++) a[i * SIZE + j] = a[j * SIZE + i] = 0.6 * random[i * SIZE + j]! / Math.sqrt(SIZE);
  }
  return a;
}

/** Checks that elements of a product of rows are as wanted, up to the rounding of sums of `SIZE` terms in f32. */
function checkProducts(
  name: string,
  term: (row: number, col: number, k: number) => number,
  want: (row: number, col: number) => number,
  cols: number,
): void {
  for (let row = 0; row < SIZE; row += STRIDE) {
    for (let col = 0; col < Math.min(cols, row + 1); col++) {
      let sum = 0;
      let size = 0;
      for (let k = 0; k <= row; k++) {
        sum += term(row, col, k);
        size += Math.abs(term(row, col, k));
      }
      if (!(Math.abs(sum - want(row, col)) <= 2 * SIZE * 2 ** -24 * size)) {
        throw new Error(`${name} is wrong: product [${row}, ${col}] is ${sum}, wanted ${want(row, col)}`);
      }
    }
  }
}

/** Checks L Lᵀ = A, of which the lower halves are read. */
function checkFactor(name: string, lower: Float32Array, a: Float32Array): void {
  checkProducts(
    name,
    (row, col, k) => k > col ? 0 : lower[row * SIZE + k]! * lower[col * SIZE + k]!,
    (row, col) => a[row * SIZE + col]!,
    SIZE,
  );
}

/** Checks L X = B. */
function checkSolution(name: string, lower: Float32Array, x: Float32Array, b: Float32Array): void {
  checkProducts(
    name,
    (row, col, k) => lower[row * SIZE + k]! * x[k * COLUMNS + col]!,
    (row, col) => b[row * COLUMNS + col]!,
    COLUMNS,
  );
}

const inMs = ({ name, bestMs }: Timing): string => `${name}: ${bestMs.toPrecision(3)} ms`;

/** Measures the factorisation of a matrix that lies on the device, and a solve with its factor. */
export async function linalgBench(context: BenchContext): Promise<Comparison[]> {
  const { gpu, seed, rounds } = context;
  const { stream } = gpu;
  context.onStage(`Cholesky ${SIZE} and a triangular solve`);
  const values = symmetricMatrix(seed);
  const right = uniform(seed, "right sides", SIZE * COLUMNS);
  using a = gpu.upload(values, [SIZE, SIZE], "bench matrix");
  using b = gpu.upload(right, [SIZE, COLUMNS], "bench right sides");
  using lower = gpu.tensor([SIZE, SIZE], "bench factor");
  using inverse = gpu.tensor([SIZE / CHOLESKY_BLOCK, CHOLESKY_BLOCK, CHOLESKY_BLOCK], "bench inverted blocks");
  using status = gpu.zeros([1], "bench status", "u32");
  using x = gpu.tensor([SIZE, COLUMNS], "bench solution");
  // Both work in place, so that each call copies its operand first, as the peers write to new arrays.
  const factor = (): void => {
    stream.copy(a, lower);
    factorBlocks(stream, { lower, inverse }, status);
  };
  const solve = (): void => {
    stream.copy(b, x);
    solveBlocks(stream, { lower, inverse }, x);
  };
  factor();
  solve();
  const [found, solution, [bad]] = await stream.read(lower, x, status);
  if (bad !== 0) throw new Error(`The factorisation stopped at row ${bad! - 1}`);
  // jax-js leaves zeros above the diagonal; ours are what was there.
  const triangle = found.map((value, at) => at % SIZE <= Math.floor(at / SIZE) ? value : 0) as Float32Array<
    ArrayBuffer
  >;
  checkFactor("our factor", triangle, values);
  checkSolution("our solution", triangle, solution as Float32Array, right);
  const peers = [await jaxCholesky(values, SIZE), await jaxTriangularSolve(triangle, right, SIZE)] as const;
  try {
    checkFactor("the factor of jax-js", await peers[0].result(), values);
    checkSolution("the solution of jax-js", triangle, await peers[1].result(), right);
    const host = matrix(SIZE, SIZE);
    host.data.set(values);
    const whole: Contender = {
      name: "with scaling, upload and condition estimate",
      run: async (calls) => {
        for (let call = 0; call < calls; call++) (await GpuCholesky.factor(stream, host))[Symbol.dispose]();
      },
    };
    const [factors, solves, all, jaxFactors, jaxSolves] = await race(
      [recorded(gpu, "factor", factor), recorded(gpu, "solve", solve), whole, ...peers],
      { rounds },
    ) as [Timing, Timing, Timing, Timing, Timing];
    const common = { bench: "linalg", unit: "x" } as const;
    return [
      {
        ...common,
        what: `Cholesky ${SIZE}, on the device`,
        ours: inMs(factors),
        against: inMs(jaxFactors),
        value: jaxFactors.bestMs / factors.bestMs,
        goal: { side: "at least", value: GOAL },
      },
      {
        ...common,
        what: `Cholesky ${SIZE}, from a float64 matrix of the host`,
        ours: inMs(all),
        against: inMs(jaxFactors),
        value: jaxFactors.bestMs / all.bestMs,
      },
      {
        ...common,
        what: `triangular solve ${SIZE}, ${COLUMNS} right sides`,
        ours: inMs(solves),
        against: inMs(jaxSolves),
        value: jaxSolves.bestMs / solves.bestMs,
      },
    ];
  } finally {
    for (const peer of peers) peer.dispose();
  }
}
