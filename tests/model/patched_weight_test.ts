import { assertEquals } from "@std/assert";
import { bf16ToF32, f16ToF32, toBf16, toF16 } from "../../src/checkpoint/half.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { patchedWeight } from "../../src/model/patched_weight.ts";
import { assertWithin, normals, UNIT } from "../kernels/operands.ts";

const gpu = await Gpu.open();
const [OUT, IN] = [10, 6];
const BASE = normals("base", OUT * IN, 0, 0.1);

/** Two changes of different rank. */
const PATCHES = [2, 3].map((rank) => ({
  weight: "blocks.0.mlp.W_out",
  left: normals(`left ${rank}`, OUT * rank, 0, 0.1),
  right: normals(`right ${rank}`, IN * rank, 0, 0.1),
  rank,
}));

for (const layout of ["out_in", "in_out"] as const) {
  for (
    const [dtype, stored, values] of [
      ["f32", BASE, BASE],
      ["bf16", toBf16(BASE), bf16ToF32(toBf16(BASE))],
      ["f16", toF16(BASE), f16ToF32(toF16(BASE))],
    ] as const
  ) {
    Deno.test(`patchedWeight() adds left times right to a weight stored ${layout} as ${dtype}`, async () => {
      const shape = layout === "out_in" ? [OUT, IN] : [IN, OUT];
      const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
      using base = gpu.upload(bytes, shape, "base", dtype);
      using sum = patchedWeight(gpu, base, layout, PATCHES);
      assertEquals([sum.dtype, [...sum.shape]], ["f32", shape]);
      const [found] = await gpu.stream.read(sum);
      const wanted = new Float64Array(OUT * IN);
      const bound = new Float64Array(OUT * IN);
      for (let o = 0; o < OUT; o++) {
        for (let i = 0; i < IN; i++) {
          const at = layout === "out_in" ? o * IN + i : i * OUT + o;
          let [total, size, terms] = [values[at]!, Math.abs(values[at]!), 1];
          for (const { left, right, rank } of PATCHES) {
            for (let k = 0; k < rank; k++, terms++) {
              const term = left[o * rank + k]! * right[i * rank + k]!;
              total += term;
              size += Math.abs(term);
            }
          }
          wanted[at] = total;
          bound[at] = 2 * terms * UNIT * size;
        }
      }
      assertWithin(found as Float32Array, wanted, bound, `${layout} ${dtype}`);
    });
  }
}

Deno.test("patchedWeight() leaves nothing on the GPU", () => {
  assertEquals(gpu.memory().live, 0);
  gpu[Symbol.dispose]();
});
