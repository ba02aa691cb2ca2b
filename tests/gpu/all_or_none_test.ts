import { assertEquals, assertThrows } from "@std/assert";
import { allOrNone } from "../../src/gpu/all_or_none.ts";
import { GpuMemoryError } from "../../src/gpu/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";

Deno.test("allOrNone() makes all in order, or gives back those that it made", async () => {
  using gpu = await Gpu.open({ maxBytes: 1024 });
  const make = (label: string) => () => gpu.tensor([64], label);
  const made = allOrNone([make("a"), make("b")]);
  assertEquals(made.map(({ label }) => label), ["a", "b"]);
  assertThrows(() => allOrNone([make("c"), make("d"), make("e")]), GpuMemoryError, 'Cannot make tensor "e"');
  assertEquals(Object.keys(gpu.memory().owners), ["a", "b"]);
  for (const tensor of made) tensor.dispose();
  assertEquals(gpu.memory().live, 0);
});
