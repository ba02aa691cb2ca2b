import { assertEquals, assertThrows } from "@std/assert";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { chooseVariant, explainVariant } from "../../kernels/matmul_variant.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { DeviceTraits } from "../../src/gpu/traits.ts";
import { checkProduct } from "./matmul_cases.ts";
import { normals } from "./operands.ts";

const gpu = await Gpu.open();
const plain = await Gpu.open({ without: ["subgroups"] });

/** Kernels that one product of these sizes dispatches. */
function kernelsOf(device: Gpu, rows: number): string[] {
  using a = device.upload(normals("a", rows * 8), [rows, 8], "a");
  using b = device.upload(normals("b", 64), [8, 8], "b");
  const names: string[] = [];
  device.stream.observe(
    (variant) => names.push(variant.replace(/(_wide)?(\(.*)?$/, "")),
    () => matmulNt(device.stream, { a, b }).dispose(),
  );
  return names;
}

const SERIAL: DeviceTraits = { threadCost: 20, broadcastCost: 0.4 };

Deno.test({
  name: "chooseVariant() takes matvec up to 2 rows where a lane reads along a row, and cheap broadcasts for more",
  ignore: gpu.subgroupSize !== 8,
  async fn() {
    using serial = await Gpu.open({ traits: SERIAL });
    const rows = [1, 2, 3, 8, 512];
    const wanted = ["matvec", "matvec", "subgroup", "subgroup", "subgroup"];
    assertEquals(rows.map((r) => chooseVariant(serial, r, 512, 512)), wanted);
    assertEquals([1, 8].map((r) => chooseVariant(serial, r, 512, 512, "nn")), ["subgroup", "subgroup"]);
    assertEquals([kernelsOf(serial, 2), kernelsOf(serial, 3)], [["matvec_octet"], ["matmul_subgroup_octet"]]);
  },
});

Deno.test("chooseVariant() shares nothing where threads run one after the other and broadcasts are dear or absent", async () => {
  using serial = await Gpu.open({ traits: SERIAL, without: ["subgroups"] });
  assertEquals([1, 512].map((rows) => chooseVariant(serial, rows, 64, 64)), ["register", "register"]);
  assertEquals(kernelsOf(serial, 1), ["matmul_register"]);
  using dear = await Gpu.open({ traits: { ...SERIAL, broadcastCost: 0.9 } });
  assertEquals(chooseVariant(dear, 512, 64, 64), "register");
});

Deno.test("chooseVariant() stages operands in workgroup memory where threads run side by side", async () => {
  using wide = await Gpu.open({ traits: { threadCost: 1.5, broadcastCost: 0.4 }, without: ["subgroups"] });
  assertEquals([1, 512].map((rows) => chooseVariant(wide, rows, 64, 64)), ["tile", "tile"]);
  await checkProduct(wide, "nt", [3, 8, 5]);
  assertEquals(kernelsOf(wide, 1), ["matmul_tile"]);
});

Deno.test("chooseVariant() uses the variant that a device was opened with", async () => {
  using forced = await Gpu.open({ variant: "tile" });
  assertEquals([1, 512].map((rows) => chooseVariant(forced, rows, 64, 64)), ["tile", "tile"]);
  assertEquals([kernelsOf(forced, 1), kernelsOf(forced, 9)], [["matmul_tile"], ["matmul_tile"]]);
});

Deno.test("explainVariant() names the sizes and what was measured", async () => {
  using serial = await Gpu.open({ traits: SERIAL, without: ["subgroups"] });
  assertEquals(explainVariant(serial, 16, 1536, 576), {
    variant: "register",
    reason:
      "16 x 576 x 1536 nt: 256 threads take 20.0 times as long as 8, so barriers gain nothing, and subgroups are " +
      "not proved",
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
