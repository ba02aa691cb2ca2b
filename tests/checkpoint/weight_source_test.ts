import { assertEquals } from "@std/assert";
import { release } from "../../src/checkpoint/weight_source.ts";

Deno.test("release() gives up a whole buffer and leaves one alone of which it sees a part", () => {
  const whole = new Uint8Array(16), buffer = new Uint8Array(16).fill(7);
  release(whole);
  assertEquals([whole.byteLength, whole.buffer.detached], [0, true]);
  release(buffer.subarray(4));
  assertEquals([buffer.byteLength, buffer[15]], [16, 7]);
});
