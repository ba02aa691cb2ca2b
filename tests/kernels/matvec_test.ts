import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { matmulNn } from "../../kernels/matmul_nn.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct } from "./matmul_cases.ts";
import { normals, PACKED_WIDTHS } from "./operands.ts";

const gpu = await Gpu.open();
const ignore = gpu.subgroupSize === null;
/** A device whose threads are taken to run side by side. */
const sideBySide = await Gpu.open({ traits: { threadCost: 1, broadcastCost: null } });

Deno.test({
  name: "matvec agrees with its twin for 1 to 8 rows and around its 8 columns and the lanes",
  ignore,
  async fn() {
    for (const rows of [1, 2, 3, 4, 5, 7, 8]) await checkProduct(gpu, "nt", [rows, 36, 9], { variant: "matvec" });
    for (const [inner, cols] of [[1, 1], [31, 7], [32, 8], [33, 9], [127, 17]] as const) {
      await checkProduct(gpu, "nt", [3, inner, cols], { variant: "matvec" });
    }
  },
});

Deno.test({
  name: "matvec reads half weights and biases, aligned or not, and accumulates",
  ignore,
  async fn() {
    for (const dtype of ["f16", "bf16"] as const) {
      await checkProduct(gpu, "nt", [1, 64, 13], { variant: "matvec", dtype, bias: dtype });
      await checkProduct(gpu, "nt", [1, 45, 13], { variant: "matvec", dtype, bias: "f32", accumulate: true });
    }
  },
});

Deno.test({
  name: "matvec_octet agrees with its twin for 1 to 8 rows, around its 16 columns and the lanes, in every type",
  ignore,
  async fn() {
    for (const rows of [1, 2, 3, 5, 8]) await checkProduct(gpu, "nt", [rows, 72, 17], { variant: "matvec" });
    for (const [inner, cols] of [[8, 1], [56, 15], [64, 16], [136, 33]] as const) {
      await checkProduct(gpu, "nt", [1, inner, cols], { variant: "matvec", bias: "f32", accumulate: true });
    }
    for (const dtype of ["f16", "bf16"] as const) {
      for (const inner of [16, 112, 144]) {
        await checkProduct(gpu, "nt", [3, inner, 18], { variant: "matvec", dtype, bias: dtype });
      }
    }
  },
});

Deno.test({
  name: "matvec_packed agrees with its twin for one block and several a row, and for 1 to 8 rows",
  ignore,
  async fn() {
    for (const [dtype, width] of PACKED_WIDTHS) {
      await checkProduct(gpu, "nt", [1, width, 3], { variant: "matvec", dtype, bias: "f32" });
      await checkProduct(gpu, "nt", [1, 5 * width, 19], { variant: "matvec", dtype });
      await checkProduct(gpu, "nt", [3, 3 * width, 9], { variant: "matvec", dtype, accumulate: true });
      await checkProduct(gpu, "nt", [8, 2 * width, 17], { variant: "matvec", dtype });
    }
  },
});

Deno.test({
  name:
    "matvec_pairs agrees with its twin for 1 to 8 rows, around the columns of a workgroup and the lanes, in every type",
  ignore,
  async fn() {
    const lanes = sideBySide.subgroupSize!;
    for (const rows of [1, 2, 3, 4, 5, 7, 8]) await checkProduct(sideBySide, "nt", [rows, 72, 9]);
    for (const octets of [1, lanes - 1, lanes, lanes + 1]) {
      for (const cols of [1, 7, 8, 17]) {
        await checkProduct(sideBySide, "nt", [1, 8 * octets, cols], { bias: "f32", accumulate: true });
      }
    }
    for (const dtype of ["f16", "bf16"] as const) {
      for (const inner of [8, 136]) await checkProduct(sideBySide, "nt", [3, inner, 18], { dtype, bias: dtype });
    }
    for (const [dtype, width] of PACKED_WIDTHS) {
      await checkProduct(sideBySide, "nt", [1, 5 * width, 19], { dtype, bias: "f32" });
      await checkProduct(sideBySide, "nt", [8, width, 17], { dtype, accumulate: true });
    }
    await checkProduct(sideBySide, "nt", [2, 16, 83], { groupLimit: 3 });
    const variants: string[] = [];
    using a = sideBySide.upload(normals("a", 8), [1, 8], "a");
    using b = sideBySide.upload(normals("b", 24), [3, 8], "b");
    sideBySide.stream.observe(
      (variant) => variants.push(variant),
      () => matmulNt(sideBySide.stream, { a, b }).dispose(),
    );
    assertMatch(variants.join(), /^matvec_pairs\(/);
  },
});

Deno.test({
  name: "matvec folds columns over two grid dimensions",
  ignore,
  fn: () => checkProduct(gpu, "nt", [1, 12, 83], { variant: "matvec", groupLimit: 3 }),
});

Deno.test({
  name: "matvec gives the same bits twice",
  ignore,
  async fn() {
    using a = gpu.upload(normals("a", 517), [1, 517], "a");
    using b = gpu.upload(normals("b", 19 * 517), [19, 517], "b");
    using first = matmulNt(gpu.stream, { a, b }, { variant: "matvec" });
    using second = matmulNt(gpu.stream, { a, b }, { variant: "matvec" });
    const [x, y] = await gpu.stream.read(first, second);
    assertEquals(x, y);
  },
});

Deno.test({
  name: "matvec refuses another layout and more than 8 rows",
  ignore,
  fn() {
    using a = gpu.upload(normals("a", 9 * 4), [9, 4], "a");
    using b = gpu.upload(normals("b", 16), [4, 4], "b");
    assertThrows(
      () => matmulNt(gpu.stream, { a, b }, { variant: "matvec" }),
      TypeError,
      'Cannot multiply with variant "matvec": it takes layout nt and at most 8 rows, got nt and 9 rows',
    );
    assertThrows(
      () => matmulNn(gpu.stream, { a: b, b }, { variant: "matvec" }),
      TypeError,
      'Cannot multiply with variant "matvec": it takes layout nt and at most 8 rows, got nn and 4 rows',
    );
  },
});

Deno.test("matvec leaves no memory behind", () => {
  for (const device of [gpu, sideBySide]) {
    assertEquals(device.memory().live, 0);
    device.close();
  }
});
