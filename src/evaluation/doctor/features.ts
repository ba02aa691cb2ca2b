/**
 * Optional abilities of the device, proved by running them and comparing with float64 on the CPU.
 *
 * @module
 */
import { probeDf64 } from "../../../kernels/probe_df64.ts";
import { probeF16 } from "../../../kernels/probe_f16.ts";
import { probeF64 } from "../../../kernels/probe_f64.ts";
import { probeSubgroups } from "../../../kernels/probe_subgroups.ts";
import { probeU64 } from "../../../kernels/probe_u64.ts";
import { Gpu } from "../../gpu/gpu.ts";
import type { GpuFeature } from "../../gpu/options.ts";
import { SeededRandom } from "../../linalg/seeded_random.ts";

/** What is proved. */
export type ProvenFeature = "f16" | "subgroups" | "u64" | "f64" | "df64" | "df64 with barrier";

/** What running a feature showed. */
export interface FeatureProof {
  /** The ability. */
  name: ProvenFeature;
  /** Whether the device was granted it; `df64` needs no grant. */
  granted: boolean;
  /** Whether it gave right results; null: it was not run. */
  works: boolean | null;
  /** What was found, in one line. */
  evidence: string;
  /** What the project does with it, or without it. */
  use: string;
}

/** Outcome of a proof: right or not, and what was found. */
export interface Outcome {
  /** Whether results were right. */
  works: boolean;
  /** What was found. */
  evidence: string;
}

/** Terms of the dot products that prove extended precision. */
const TERMS = 4096;

/** Numbers in [-2, 2) with all 24 bits in use, the same for the same label. */
function operands(label: string, length: number): Float32Array<ArrayBuffer> {
  const random = new SeededRandom(1, label);
  return Float32Array.from({ length }, () => 4 * random.uniform() - 2);
}

/** Relative error of a dot product, measured by the sum of its absolute products. */
function dotError(a: Float32Array, b: Float32Array, got: number): number {
  let want = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    want += a[i]! * b[i]!;
    size += Math.abs(a[i]! * b[i]!);
  }
  return Math.abs(got - want) / size;
}

/** Proves half precision on numbers whose squares and sums are exact in it. */
export async function proveF16(gpu: Gpu): Promise<Outcome> {
  const values = Float32Array.from({ length: 44 }, (_, i) => (i - 22) / 4);
  using x = gpu.upload(values, [values.length], "f16 operand");
  using y = probeF16(gpu.stream, { x });
  const [got] = await gpu.stream.read(y);
  const right = values.filter((v, i) => got[i] === v * v + v).length;
  return {
    works: right === values.length,
    evidence: `${right} of ${values.length} products and sums exact`,
  };
}

/** Proves the order of lanes, the size, a sum and a broadcast. */
export async function proveSubgroups(gpu: Gpu): Promise<Outcome> {
  using y = probeSubgroups(gpu.stream);
  const [found] = await gpu.stream.read(y);
  const size = found[1]!;
  const rows = Array.from({ length: 64 }, (_, i) => [...found.subarray(4 * i, 4 * i + 4)]);
  const sizes = [...new Set(rows.map((row) => row[1]))];
  if (sizes.length > 1) return { works: false, evidence: `sizes ${sizes.join(", ")} in one workgroup` };
  if (size < 4 || 64 % size !== 0) return { works: false, evidence: `size ${size}, wanted a divisor of 64 from 4 up` };
  const count = (holds: (row: number[], first: number, i: number) => boolean): number =>
    rows.filter((row, i) => holds(row, i - i % size, i)).length;
  const ordered = count((row, first, i) => row[0] === i - first);
  const sums = count((row, first) => row[2] === size * first + size * (size - 1) / 2);
  const broadcasts = count((row, first) => row[3] === first + 3);
  return {
    works: ordered + sums + broadcasts === 3 * 64,
    evidence: `size ${size}; lane = index % ${size} for ${ordered} of 64, sum right for ${sums}, broadcast for ` +
      `${broadcasts}`,
  };
}

/** Proves 64-bit words on numbers with all 32 bits in use. */
export async function proveU64(gpu: Gpu): Promise<Outcome> {
  const values = operands("u64", 64);
  using x = gpu.upload(values, [values.length], "u64 operand");
  using y = probeU64(gpu.stream, { x });
  const [got] = await gpu.stream.read(y);
  const right = values.filter((_, i) => got[i] === values[i - i % 8 + 7 - i % 8]).length;
  return { works: right === values.length, evidence: `${right} of ${values.length} values moved to their place` };
}

/** Proves double precision by a long dot product. */
export async function proveF64(gpu: Gpu): Promise<Outcome> {
  const a = operands("a", TERMS);
  const b = operands("b", TERMS);
  using left = gpu.upload(a, [1, TERMS], "f64 a");
  using right = gpu.upload(b, [1, TERMS], "f64 b");
  using y = probeF64(gpu.stream, { a: left, b: right });
  const [got] = await gpu.stream.read(y);
  const error = dotError(a, b, got[0]! + got[1]!);
  // The pair of f32 that carries the result out keeps 48 bits.
  return { works: error < 2 ** -46, evidence: `dot product of ${TERMS} terms to ${error.toExponential(1)}` };
}

/** Proves pairs of f32: exact errors of sums and products, and a long dot product. */
export async function proveDf64(gpu: Gpu, barrier: boolean): Promise<Outcome> {
  const a = operands("a", TERMS);
  const b = operands("b", TERMS);
  using column = gpu.upload(a, [TERMS, 1], "df64 a");
  using other = gpu.upload(b, [TERMS, 1], "df64 b");
  using pairs = probeDf64(gpu.stream, { a: column, b: other }, { barrier });
  using left = column.view([1, TERMS]);
  using right = other.view([1, TERMS]);
  using dot = probeDf64(gpu.stream, { a: left, b: right }, { barrier });
  const [got, total] = await gpu.stream.read(pairs, dot);
  let sums = 0;
  let products = 0;
  for (let i = 0; i < TERMS; i++) {
    // Sums and products of two f32 of like size are exact in float64.
    const [sum, sumError, product, productError] = got.subarray(6 * i, 6 * i + 4);
    if (sum! + sumError! === a[i]! + b[i]!) sums++;
    if (product! + productError! === a[i]! * b[i]!) products++;
  }
  const error = dotError(a, b, total[4]! + total[5]!);
  return {
    works: sums === TERMS && products === TERMS && error < 2 ** -40,
    evidence: `${sums} sums and ${products} products of ${TERMS} exact, dot product to ${error.toExponential(1)}`,
  };
}

interface Proof {
  name: ProvenFeature;
  needs: GpuFeature | null;
  run: (gpu: Gpu) => Promise<Outcome>;
  use: string;
}

const PROOFS: readonly Proof[] = [
  { name: "f16", needs: "f16", run: proveF16, use: "not needed: f16 weights are unpacked to f32" },
  { name: "subgroups", needs: "subgroups", run: proveSubgroups, use: "subgroup matmul and matvec" },
  { name: "u64", needs: "u64", run: proveU64, use: "loads of twice the width where 8 lanes run" },
  { name: "f64", needs: "f64", run: proveF64, use: "not needed: a check of extended precision" },
  { name: "df64", needs: null, run: (gpu) => proveDf64(gpu, false), use: "never: compilers drop its error terms" },
  {
    name: "df64 with barrier",
    needs: null,
    run: (gpu) => proveDf64(gpu, true),
    use: "not needed: solvers refine in float64 on the CPU",
  },
];

/**
 * Proves every feature, each on a device of its own: a shader that does not compile makes a device unusable.
 *
 * @returns One proof a feature; those that were not granted are not run.
 */
export async function proveFeatures(): Promise<FeatureProof[]> {
  const found: FeatureProof[] = [];
  for (const { name, needs, run, use } of PROOFS) {
    using gpu = await Gpu.open();
    const granted = needs === null || gpu.features.has(needs);
    const outcome = granted
      ? await run(gpu).catch((error: Error) => ({ works: false, evidence: error.message.split("\n")[0]! }))
      : { works: null, evidence: "the device does not grant it" };
    found.push({ name, granted, ...outcome, use });
  }
  return found;
}
