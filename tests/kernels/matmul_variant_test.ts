import { assertEquals, assertThrows } from "@std/assert";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { chooseVariant, explainVariant } from "../../kernels/matmul_variant.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct } from "./matmul_cases.ts";
import { normals, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const plain = await Gpu.open({ without: ["subgroups"] });

/** Kernels that one product of these sizes dispatches. */
function kernelsOf(device: Gpu, rows: number): string[] {
  using a = device.upload(normals("a", rows * 8), [rows, 8], "a");
  using b = device.upload(normals("b", 64), [8, 8], "b");
  const names: string[] = [];
  device.stream.observe(
    (variant) => names.push(variant.replace(/\(.*/, "")),
    () => matmulNt(device.stream, { a, b }).dispose(),
  );
  return names;
}

Deno.test({
  name:
    "chooseVariant() takes matvec up to 7 rows where a lane reads along a row, and broadcasts between 8 lanes for more",
  ignore: gpu.subgroupSize !== 8 || !gpu.isCpu,
  fn() {
    const rows = [1, 4, 5, 7, 8, 512];
    const wanted = ["matvec", "matvec", "matvec", "matvec", "subgroup", "subgroup"];
    assertEquals(rows.map((r) => chooseVariant(gpu, r, 512, 512)), wanted);
    assertEquals([1, 8].map((r) => chooseVariant(gpu, r, 512, 512, "nn")), ["register", "subgroup"]);
    assertEquals([kernelsOf(gpu, 4), kernelsOf(gpu, 8)], [["matvec"], ["matmul_subgroup"]]);
  },
});

Deno.test("chooseVariant() needs no subgroups on a CPU driver", { ignore: !plain.isCpu }, () => {
  assertEquals([1, 512].map((rows) => chooseVariant(plain, rows, 64, 64)), ["register", "register"]);
  assertEquals(kernelsOf(plain, 1), ["matmul_register"]);
});

Deno.test("chooseVariant() stages operands in workgroup memory on a GPU", async () => {
  await withGpuThreads(plain, async () => {
    assertEquals([1, 512].map((rows) => chooseVariant(plain, rows, 64, 64)), ["tile", "tile"]);
    await checkProduct(plain, "nt", [3, 8, 5]);
  });
  assertEquals(kernelsOf(plain, 1).length, 1);
});

Deno.test("chooseVariant() uses the variant that a device was opened with", async () => {
  using forced = await Gpu.open({ matmulVariant: "tile" });
  assertEquals([1, 512].map((rows) => chooseVariant(forced, rows, 64, 64)), ["tile", "tile"]);
  assertEquals([kernelsOf(forced, 1), kernelsOf(forced, 9)], [["matmul_tile"], ["matmul_tile"]]);
  using unable = await Gpu.open({ matmulVariant: "subgroup", without: ["subgroups"] });
  assertThrows(
    () => chooseVariant(unable, 8, 64, 64),
    TypeError,
    'Cannot multiply with variant "subgroup": it needs subgroups of 8 lanes, got none proved',
  );
});

Deno.test("explainVariant() names the sizes and the reason", { ignore: !plain.isCpu }, () => {
  assertEquals(explainVariant(plain, 16, 1536, 576), {
    variant: "register",
    reason: "16 x 576 x 1536 nt: a CPU driver with no proved subgroups, where barriers are expensive",
  });
});

Deno.test("matmulNt() refuses a variant that the device cannot run", () => {
  using a = plain.upload(normals("a", 8), [2, 4], "a");
  using b = plain.upload(normals("b", 12), [3, 4], "b");
  assertThrows(
    () => matmulNt(plain.stream, { a, b }, { variant: "subgroup" }),
    TypeError,
    'Cannot multiply with variant "subgroup": it needs subgroups of 8 lanes, got none proved. Use "register" or "tile"',
  );
  assertThrows(
    () => matmulNt(plain.stream, { a, b }, { variant: "matvec" }),
    TypeError,
    'Cannot multiply with variant "matvec": it needs subgroups, got none proved',
  );
});

Deno.test("chooseVariant() and its products leave no memory behind", () => {
  assertEquals([gpu.memory().live, plain.memory().live], [0, 0]);
  gpu.close();
  plain.close();
});
