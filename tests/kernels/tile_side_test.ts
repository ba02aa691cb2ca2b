import { assertEquals } from "@std/assert";
import { tileSide } from "../../kernels/tile_side.ts";

Deno.test("tileSide() takes large tiles where there are enough of them for every core", () => {
  assertEquals([tileSide(512, 15), tileSide(512, 16), tileSide(64, 127), tileSide(64, 128)], [8, 16, 8, 16]);
});

Deno.test("tileSide() takes small tiles where the last large one would be half empty", () => {
  assertEquals([tileSide(16, 768), tileSide(32, 768), tileSide(33, 768), tileSide(128, 768)], [8, 8, 16, 16]);
  assertEquals([tileSide(96, 768), tileSide(97, 768), tileSide(224, 768)], [8, 16, 16]);
});
