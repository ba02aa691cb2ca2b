import { assertEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct, checkVariantCases } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test({
  name: "matmul_tile agrees with its twin in every layout, type and epilogue, around its block of 32 x 32",
  fn: () => checkVariantCases(gpu, "tile", { rows: 32, cols: 32 }),
});

Deno.test("matmul_tile agrees with its twin in every layout where blocks of 64 x 64 are enough for a GPU", async () => {
  for (const layout of ["nt", "nn", "tn"] as const) {
    await checkProduct(gpu, layout, [961, 35, 1030], { variant: "tile" });
    await checkProduct(gpu, layout, [1028, 32, 961], { variant: "tile", accumulate: true, groupLimit: 20 });
  }
});

Deno.test("matmul_tile leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
