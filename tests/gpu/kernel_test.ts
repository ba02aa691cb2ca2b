import { assertEquals, assertThrows } from "@std/assert";
import { defineKernel, foldGroups, MAX_GROUPS } from "../../src/gpu/kernel.ts";

Deno.test("foldGroups() covers every count with few spare groups, within the limit", () => {
  for (const limit of [1, 2, 3, 7]) {
    for (let count = 0; count <= limit * limit; count++) {
      const [x, y, z] = foldGroups(count, limit);
      assertEquals([z, x <= limit, y <= limit, x * y >= count, x * y - count < Math.max(1, y)], [
        1,
        true,
        true,
        true,
        true,
      ]);
    }
  }
  assertEquals(foldGroups(MAX_GROUPS), [65535, 1, 1]);
  assertEquals(foldGroups(MAX_GROUPS + 1), [32768, 2, 1]);
});

Deno.test("defineKernel() refuses more parameters than a slot holds", () => {
  const params = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`p${i}`, "u32" as const]));
  assertThrows(
    () => defineKernel({ name: "wide", code: "", buffers: [], params }),
    RangeError,
    'Cannot define kernel "wide": 17 parameters, at most 16 fit',
  );
});

Deno.test("defineKernel() refuses more buffers than every opened device binds", () => {
  assertThrows(
    () => defineKernel({ name: "many", code: "", buffers: new Array<"read">(11).fill("read"), params: {} }),
    RangeError,
    'Cannot define kernel "many": 11 buffers, devices are asked for 10',
  );
});

Deno.test("defineKernel() gives a record that cannot be changed", () => {
  const kernel = defineKernel({ name: "fixed", code: "", buffers: [], params: {} });
  assertThrows(() => Object.assign(kernel, { name: "other" }), TypeError);
});
