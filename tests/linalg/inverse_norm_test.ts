import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { type Matrix, matrix } from "../../src/linalg/dense.ts";
import { inverseNormBy } from "../../src/linalg/inverse_norm.ts";

Deno.test("inverseNormBy() finds the norm of a diagonal inverse exactly", () => {
  const inverse = [1, 0.5, 7, 2];
  assertEquals(inverseNormBy(4, (rows) => matrix(1, 4, rows.data.map((value, i) => value * inverse[i]))), 7);
  assertEquals(inverseNormBy(0, (rows) => rows), 0);
  assertEquals(inverseNormBy(1, (rows) => rows), 1);
});

Deno.test("inverseNormBy() is a lower bound of a few solves also where signs cancel", () => {
  // A⁻¹ = I + v vᵀ with alternating v hides from vectors of one sign.
  const size = 40;
  const v = Float64Array.from({ length: size }, (_, i) => (i % 2 ? -1 : 1));
  let solves = 0;
  const apply = (rows: Matrix): Matrix => {
    solves++;
    const along = rows.data.reduce((sum, value, i) => sum + value * v[i], 0);
    return matrix(1, size, rows.data.map((value, i) => value + along * v[i]));
  };
  const estimate = inverseNormBy(size, apply);
  assertLess(estimate, size + 1 + 1e-9);
  assertGreater(estimate, (size + 1) / 3);
  assertLess(solves, 12);
});
