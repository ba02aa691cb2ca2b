import { assertEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkVariantCases } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test({
  name: "matmul_naive agrees with its twin in every layout, type and epilogue, around its block of 8 x 8",
  fn: () => checkVariantCases(gpu, "naive", { rows: 8, cols: 8 }),
});

Deno.test("matmul_naive leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
