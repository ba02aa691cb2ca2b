import { assertEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkVariantCases } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test({
  name: "matmul_tile agrees with its twin in every layout, type and epilogue, around its block of 64 x 64",
  fn: () => checkVariantCases(gpu, "tile", { rows: 64, cols: 64 }),
});

Deno.test("matmul_tile leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
