import { assert, assertEquals } from "@std/assert";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct, checkVariantCases } from "./matmul_cases.ts";
import { PACKED_WIDTHS } from "./operands.ts";

const gpu = await Gpu.open();

Deno.test({
  name: "matmul_subgroup agrees with its twin in every layout, type and epilogue, around its block of 16 x 64",
  ignore: gpu.subgroupSize !== 8,
  fn: () => checkVariantCases(gpu, "subgroup", { rows: 16, cols: 64 }),
});

Deno.test({
  name: "matmul_subgroup_octet agrees with its twin in every type and epilogue, around its block of 16 x 64",
  ignore: gpu.subgroupSize !== 8,
  async fn() {
    for (const size of [[1, 8, 4], [15, 24, 60], [16, 40, 64], [17, 8, 68], [36, 16, 132]] as const) {
      await checkProduct(gpu, "nt", size, { variant: "subgroup" });
    }
    for (const dtype of ["f16", "bf16"] as const) {
      await checkProduct(gpu, "nt", [5, 24, 68], { variant: "subgroup", dtype, bias: dtype });
    }
    for (const [dtype, width] of PACKED_WIDTHS) {
      await checkProduct(gpu, "nt", [18, 2 * width, 68], { variant: "subgroup", dtype, bias: "f32" });
    }
    await checkProduct(gpu, "nt", [33, 16, 68], { variant: "subgroup", bias: "f32", accumulate: true, groupLimit: 2 });
  },
});

Deno.test({
  name: "matmul_subgroup is compiled once for few rows: a launch more takes no memory of the process",
  ignore: gpu.subgroupSize !== 8,
  async fn() {
    using device = await Gpu.open();
    using a = device.zeros([3, 64], "a");
    using b = device.zeros([64, 64], "b");
    using out = device.tensor([3, 64], "out");
    const launch = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) matmulNt(device.stream, { a, b }, { out, variant: "subgroup" });
      await device.stream.read(out);
      return Deno.memoryUsage().rss;
    };
    const before = await launch(1);
    const growth = (await launch(100) - before) / 2 ** 20;
    assert(growth < 30, `100 launches took ${growth.toFixed(0)} MiB; a shader compiled at each takes 90`);
  },
});

Deno.test("matmul_subgroup leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
