import { assert, assertEquals, assertRejects } from "@std/assert";
import { sideBySide } from "../../src/gpu/side_by_side.ts";

const later = async <T>(ms: number, value: () => T): Promise<T> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return value();
};

const fail = (message: string) => (): never => {
  throw new Error(message);
};

Deno.test("sideBySide() returns what the parts return, in order", async () => {
  const [number, text] = await sideBySide([later(5, () => 1), later(0, () => "two")]);
  assertEquals([number + 1, text.length], [2, 3]);
  assertEquals(await sideBySide([]), []);
});

Deno.test("sideBySide() throws what the first failed part threw, once all have ended", async () => {
  let ended = false;
  const slow = later(10, () => ended = true);
  await assertRejects(() => sideBySide([slow, later(5, fail("a")), later(0, fail("b"))]), Error, "a");
  assert(ended);
});
