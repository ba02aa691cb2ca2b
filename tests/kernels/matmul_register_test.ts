import { assertEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkVariantCases } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test({
  name: "matmul_register agrees with its twin in every layout, type and epilogue, around its block of 16 x 32",
  fn: () => checkVariantCases(gpu, "register", { rows: 16, cols: 32 }),
});

Deno.test("matmul_register leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
