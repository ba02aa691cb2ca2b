import { assertEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkVariantCases } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test({
  name: "matmul_subgroup agrees with its twin in every layout, type and epilogue, around its block of 16 x 64",
  ignore: gpu.subgroupSize !== 8,
  fn: () => checkVariantCases(gpu, "subgroup", { rows: 16, cols: 64 }),
});

Deno.test("matmul_subgroup leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
