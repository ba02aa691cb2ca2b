/**
 * Operands, comparisons and device tricks that the tests of row and elementwise kernels share.
 *
 * @module
 */
import { fail } from "@std/assert";
import { toDeviceBlocks } from "../../src/checkpoint/device_blocks.ts";
import type { PackedFormat } from "../../src/checkpoint/weight_source.ts";
import { bf16ToF32, f16ToF32, toBf16, toF16 } from "../../src/checkpoint/half.ts";

import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import { PACKED_NAMES, type PackedName, randomBlocks, unpacked } from "../reference/packed.ts";

/** Unit roundoff of f32: the largest relative error of rounding to nearest. */
export const UNIT = 2 ** -24;

/** Smallest normal f32; shaders may flush anything below it to zero. */
export const TINY = 2 ** -126;

/** Relative error that WGSL allows a division: 2.5 units in the last place. */
export const DIVISION = 5 * UNIT;

/** Relative error of `sqrt`, which WGSL derives from a reciprocal and an inverse square root of 2 such units. */
export const ROOT = 9 * UNIT;

/** Relative error that WGSL allows `exp(x)`: 3 + 2 |x| units in the last place. */
export function expError(x: number): number {
  return (3 + 2 * Math.abs(x)) * 2 * UNIT;
}

/** Normally distributed f32 numbers, the same for the same label. */
export function normals(label: string, length: number, mean = 0, deviation = 1): Float32Array<ArrayBuffer> {
  const random = new SeededRandom(20240607, label, length);
  return Float32Array.from({ length }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * random.uniform());
  });
}

/** The numbers from 0 to length - 1 in a random order, the same for the same label. */
export function shuffled(label: string, length: number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(20240607, label, length);
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Types that a matrix of weights is stored in. */
export type WeightDtype = "f32" | "f16" | "bf16" | PackedName;

/** All packed types, with the width of a block of values. */
export const PACKED_WIDTHS: ReadonlyMap<PackedName, number> = new Map(
  PACKED_NAMES.map((name) => [name, name.endsWith("_k") ? 256 : 32]),
);

/** A weight as a model stores it, with the numbers that its bits stand for; of a packed one, `data` gives the size alone. */
export function uploadWeight(
  gpu: Gpu,
  data: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  dtype: WeightDtype,
): { tensor: Tensor; values: Float32Array | Float64Array } {
  if (PACKED_WIDTHS.has(dtype as PackedName)) {
    const random = new SeededRandom(20240607, "blocks", dtype, data.length);
    const blocks = randomBlocks(dtype as PackedName, data.length, () => random.uniform());
    const bytes = toDeviceBlocks(dtype.toUpperCase() as PackedFormat, blocks);
    return { tensor: gpu.upload(bytes, shape, "weight", dtype), values: unpacked(dtype as PackedName, blocks) };
  }
  if (dtype === "f32") return { tensor: gpu.upload(data, shape, "weight"), values: data };
  const bits = dtype === "f16" ? toF16(data) : toBf16(data);
  const values = dtype === "f16" ? f16ToF32(bits) : bf16ToF32(bits);
  return { tensor: gpu.upload(new Uint8Array(bits.buffer), shape, "weight", dtype), values };
}

/** Fails at the first element whose distance from `want` is above its own bound, or that is no number. */
export function assertWithin(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  bound: ArrayLike<number>,
  name: string,
): void {
  if (got.length !== want.length) fail(`${name}: got ${got.length} elements, wanted ${want.length}`);
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i]! - want[i]!);
    if (!(error <= bound[i]!)) fail(`${name}[${i}]: got ${got[i]}, wanted ${want[i]} within ${bound[i]}`);
  }
}

/** Leaves buffers full of sevens for reuse, so that a read past the end of a tensor under 256 bytes shows. */
export function dirtyPool(gpu: Gpu): void {
  const sevens = Array.from({ length: 8 }, () => gpu.upload(new Float32Array(64).fill(7), [64], "sevens"));
  for (const tensor of sevens) tensor.dispose();
  gpu.stream.submit();
}

/** Kernels that run while `record` does, by the names of their shaders, whatever the width of their words. */
export function shadersOf(gpu: Gpu, record: () => void): string[] {
  const names: string[] = [];
  gpu.stream.observe((variant) => names.push(variant.replace(/(_wide)?(\(.*)?$/, "")), record);
  return names;
}

/** Runs `body` as on a device whose threads run side by side, so that the variants with many threads a row run here too. */
export async function withGpuThreads(gpu: Gpu, body: () => Promise<void>): Promise<void> {
  const { sharing } = gpu;
  Object.defineProperty(gpu, "sharing", { value: { way: "memory", reason: "a test" }, configurable: true });
  try {
    await body();
  } finally {
    Object.defineProperty(gpu, "sharing", { value: sharing, configurable: true });
  }
}
