import { assertEquals } from "@std/assert";
import { formatBytes } from "../../src/display/bytes.ts";

Deno.test("formatBytes() uses binary units", () => {
  assertEquals([0, 1023, 1024, 1536, 2 ** 27, 2 ** 31 - 1].map(formatBytes), [
    "0 B",
    "1023 B",
    "1 KiB",
    "1.5 KiB",
    "128 MiB",
    "2 GiB",
  ]);
});
