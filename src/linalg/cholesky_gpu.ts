import { CHOLESKY_BLOCK, choleskyBlock } from "../../kernels/cholesky_block.ts";
import { choleskyPanel } from "../../kernels/cholesky_panel.ts";
import { choleskyUpdate } from "../../kernels/cholesky_update.ts";
import { triangularBlock } from "../../kernels/triangular_block.ts";
import type { Stream } from "../gpu/stream.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { IllConditionedError, MAX_CONDITION } from "./cholesky.ts";
import type { CholeskyOptions } from "./cholesky.ts";
import { checkSquare, infinityNorm, type Matrix, matrix } from "./dense.ts";
import { inverseNorm } from "./inverse_norm.ts";

/** First shift after a bad pivot, relative to the diagonal of 1; some units in the last place of f32. */
const FIRST_SHIFT = 4e-7;

/** Largest shift that is tried: beyond it the factor has too little to do with the matrix to be of use. */
const LAST_SHIFT = 1e-2;

/** Smallest pivot accepted, next to a diagonal of 1: what is smaller is mostly rounding and makes a poor factor. */
const PIVOT_FLOOR = 2 ** -21;

/** Block columns a submit: long enough to hide its cost, short enough for drivers that stop long work. */
const BLOCKS_PER_SUBMIT = 16;

/**
 * The f32 factor of a symmetric positive definite matrix on the GPU: S A S + shift I = L Lᵀ, S = diag(A)^(-1/2), by
 * right-looking blocks of 64. Solves with it are good to about the condition number times 6e-8; refine them with
 * {@linkcode conjugateGradients} where that is not enough. A shift above 0 says that f32 could not hold the matrix: the
 * factor is then a preconditioner only.
 */
export class GpuCholesky implements Disposable {
  /** Number of rows and columns. */
  readonly size: number;
  /** What was added to the diagonal of S A S. */
  readonly shift: number;
  /** Estimate of |A|₁ |A⁻¹|₁ as seen by the factor: a lower bound where `shift` is not 0. */
  readonly conditionEstimate: number;
  readonly #stream: Stream;
  readonly #scale: Float64Array;
  readonly #lower: Tensor;
  readonly #inverse: Tensor;

  private constructor(stream: Stream, scale: Float64Array, factor: Factor, condition: number) {
    this.size = scale.length;
    this.shift = factor.shift;
    this.conditionEstimate = condition;
    this.#stream = stream;
    this.#scale = scale;
    this.#lower = factor.lower;
    this.#inverse = factor.inverse;
  }

  /**
   * Factors a matrix, of which only the lower triangle is used.
   *
   * @param a [size, size], symmetric; rounded to f32 after scaling.
   * @returns The factor; the caller disposes it.
   * @throws {IllConditionedError} If no shift up to 1e-2 makes it positive definite or its condition is too large.
   * @throws {RangeError} If `a` is empty or not square.
   */
  static async factor(stream: Stream, a: Matrix, options: CholeskyOptions = {}): Promise<GpuCholesky> {
    const { label = "the matrix", maxCondition = MAX_CONDITION } = options;
    checkSquare(`factor ${label}`, a);
    if (a.rows === 0) throw new RangeError(`Cannot factor ${label}: wanted at least one row, got [0, 0]`);
    const scale = equilibration(a, label);
    for (let shift = 0; shift <= LAST_SHIFT; shift = shift === 0 ? FIRST_SHIFT : shift * 4) {
      const factor = await factorShifted(stream, a, scale, shift);
      if (!factor) continue;
      try {
        const condition = infinityNorm(a) * await estimateInverse(stream, scale, factor);
        if (condition <= maxCondition) return new GpuCholesky(stream, scale, factor, condition);
        throw new IllConditionedError(
          `Cannot use ${label} [${a.rows}, ${a.cols}]: its condition number is about ${condition.toExponential(1)}, ` +
            `wanted at most ${maxCondition.toExponential(1)}. Add a ridge or use more data`,
          condition,
        );
      } catch (error) {
        factor.lower.dispose();
        factor.inverse.dispose();
        throw error;
      }
    }
    throw new IllConditionedError(
      `Cannot factor ${label} [${a.rows}, ${a.cols}]: it is not positive definite in f32, also with ${LAST_SHIFT} of ` +
        `its diagonal added. Add a ridge or use more data`,
      2 ** 24,
    );
  }

  /**
   * Solves A x = b in f32.
   *
   * @param b [count, size], one right-hand side a row.
   * @returns A new matrix [count, size], one solution a row.
   * @throws {RangeError} If the rows do not have `size` elements.
   */
  solve(b: Matrix): Promise<Matrix> {
    return solveScaled(this.#stream, this.#scale, { lower: this.#lower, inverse: this.#inverse }, b);
  }

  /** Gives the GPU memory back. */
  [Symbol.dispose](): void {
    this.#lower.dispose();
    this.#inverse.dispose();
  }
}

/** Bytes of the factor of a matrix of `rows` rows, which one binding must hold. */
export function factorBytes(rows: number): number {
  return 4 * paddedRows(rows) ** 2;
}

/** Rows of a matrix with those that make its last block whole. */
function paddedRows(rows: number): number {
  return Math.ceil(rows / CHOLESKY_BLOCK) * CHOLESKY_BLOCK;
}

/** What the kernels need: L padded to whole blocks, and the inverses of its diagonal blocks. */
interface Factor {
  lower: Tensor;
  inverse: Tensor;
  shift: number;
}

/** diag(A)^(-1/2), which brings matrices of many decades into the range and precision of f32. */
function equilibration(a: Matrix, label: string): Float64Array {
  return Float64Array.from({ length: a.rows }, (_, i) => {
    const value = a.data[i * a.cols + i];
    if (value > 0 && value < Infinity) return 1 / Math.sqrt(value);
    throw new IllConditionedError(
      `Cannot factor ${label} [${a.rows}, ${a.cols}]: element ${i} of its diagonal is ${value}, wanted a positive one. ` +
        `Add a ridge or use more data`,
      Infinity,
    );
  });
}

/**
 * Factors a matrix on the GPU in place, block column by block column.
 *
 * @param blocks `lower` [size, size] f32 with diagonal 1 and size a multiple of 64: its lower half becomes L; `inverse`
 * [size / 64, 64, 64] f32 receives the inverted diagonal blocks.
 * @param status [1] u32, zero: becomes 1 + the row of the first bad pivot.
 */
export function factorBlocks(stream: Stream, blocks: { lower: Tensor; inverse: Tensor }, status: Tensor): void {
  const { lower, inverse } = blocks;
  const size = lower.shape[0]!;
  using panel = stream.gpu.tensor([size, CHOLESKY_BLOCK], "Cholesky panel");
  for (let start = 0; start < size; start += CHOLESKY_BLOCK) {
    choleskyBlock(stream, { a: lower, inverse, status }, { start, floor: PIVOT_FLOOR });
    choleskyPanel(stream, { a: lower, inverse, panel }, { start });
    choleskyUpdate(stream, { panel, a: lower }, { start });
    if (start / CHOLESKY_BLOCK % BLOCKS_PER_SUBMIT === BLOCKS_PER_SUBMIT - 1) stream.submit();
  }
}

/** Solves L X = B, or Lᵀ X = B, in place for x [size, columns] f32, columns a multiple of 4. */
export function solveBlocks(
  stream: Stream,
  blocks: { lower: Tensor; inverse: Tensor },
  x: Tensor,
  options: { transposed?: boolean } = {},
): void {
  const { transposed = false } = options;
  const size = blocks.lower.shape[0]!;
  for (let done = 0; done < size; done += CHOLESKY_BLOCK) {
    const start = transposed ? size - CHOLESKY_BLOCK - done : done;
    triangularBlock(stream, { ...blocks, x }, { start, transposed });
  }
}

/** The factor of S A S + shift I, or null after a bad pivot. */
async function factorShifted(stream: Stream, a: Matrix, scale: Float64Array, shift: number): Promise<Factor | null> {
  const { gpu } = stream;
  const n = a.rows;
  const size = paddedRows(n);
  const scaled = new Float32Array(size * size);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) scaled[i * size + j] = a.data[i * n + j] * scale[i] * scale[j];
    scaled[i * size + i] = 1 + shift;
  }
  for (let i = n; i < size; i++) scaled[i * size + i] = 1;
  using stack = new DisposableStack();
  const lower = stack.use(gpu.upload(scaled, [size, size], "Cholesky factor"));
  const inverse = stack.use(gpu.tensor([size / CHOLESKY_BLOCK, CHOLESKY_BLOCK, CHOLESKY_BLOCK], "Cholesky blocks"));
  using status = gpu.zeros([1], "Cholesky status", "u32");
  factorBlocks(stream, { lower, inverse }, status);
  const [[bad]] = await stream.read(status);
  if (bad !== 0) return null;
  stack.move();
  return { lower, inverse, shift };
}

async function solveScaled(
  stream: Stream,
  scale: Float64Array,
  factor: Pick<Factor, "lower" | "inverse">,
  b: Matrix,
): Promise<Matrix> {
  const n = scale.length;
  if (b.cols !== n) {
    throw new RangeError(
      `Cannot solve with a factor [${n}, ${n}]: right-hand sides must be rows of ${n}, got [${b.rows}, ${b.cols}]`,
    );
  }
  if (b.rows === 0) return matrix(0, n);
  const size = factor.lower.shape[0];
  const columns = Math.ceil(b.rows / 4) * 4;
  const packed = new Float32Array(size * columns);
  // Each right-hand side is brought to a largest element of 1: residuals of a refinement fall below f32's range.
  const factors = Float64Array.from({ length: b.rows }, (_, r) => {
    let largest = 0;
    for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(b.data[r * n + i] * scale[i]));
    return largest === 0 ? 1 : largest;
  });
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < b.rows; r++) packed[i * columns + r] = b.data[r * n + i] * scale[i] / factors[r];
  }
  using x = stream.gpu.upload(packed, [size, columns], "right-hand sides");
  solveBlocks(stream, factor, x);
  solveBlocks(stream, factor, x, { transposed: true });
  const [values] = await stream.read(x);
  const out = matrix(b.rows, n);
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < b.rows; r++) out.data[r * n + i] = values[i * columns + r] * scale[i] * factors[r];
  }
  return out;
}

async function estimateInverse(stream: Stream, scale: Float64Array, factor: Factor): Promise<number> {
  const dialogue = inverseNorm(scale.length);
  let step = dialogue.next();
  while (!step.done) step = dialogue.next(await solveScaled(stream, scale, factor, step.value));
  return step.value;
}
