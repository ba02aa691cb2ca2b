import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { Cholesky } from "../../src/linalg/cholesky.ts";
import { conjugateGradients, type PreconditionedSystem } from "../../src/linalg/conjugate_gradients.ts";
import { addScaled, frobeniusNorm, type Matrix, matrix, multiplyNt } from "../../src/linalg/dense.ts";
import { normalMatrix, spdMatrix } from "../reference/random.ts";

/** A with a preconditioner that is right to `digits` decimal digits at best. */
function rounded(a: Matrix, digits: number): PreconditionedSystem {
  const cholesky = new Cholesky(a);
  return {
    norm: frobeniusNorm(a),
    multiply: (rows) => multiplyNt(rows, a),
    precondition: (rows) => {
      const x = cholesky.solve(rows);
      x.data.forEach((value, i) => x.data[i] = value === 0 ? 0 : Number(value.toPrecision(digits)));
      return Promise.resolve(x);
    },
  };
}

Deno.test("conjugateGradients() without a preconditioner solves a system of n rows in n steps", async () => {
  const n = 12;
  const a = spdMatrix(n, 10, 1);
  const b = normalMatrix(3, n, 2);
  const system = { ...rounded(a, 17), precondition: (rows: Matrix): Promise<Matrix> => Promise.resolve(rows) };
  const { x, backwardError, iterations } = await conjugateGradients(system, b);
  assertLess(iterations, n + 2);
  assertLess(backwardError, 1e-12);
  const error = frobeniusNorm(addScaled(multiplyNt(x, a), b, -1));
  assertLess(error, 1e-12 * (frobeniusNorm(a) * frobeniusNorm(x) + frobeniusNorm(b)));
});

Deno.test("conjugateGradients() repairs a preconditioner of six digits in a few steps at every condition", async () => {
  for (const condition of [10, 1e5, 1e9]) {
    const a = spdMatrix(40, condition, 3);
    const { backwardError, iterations } = await conjugateGradients(rounded(a, 6), normalMatrix(4, 40, 5));
    assertLess(backwardError, 1e-12);
    assertLess(iterations, 8);
  }
});

Deno.test("conjugateGradients() solves each row as if it were alone, whatever its size", async () => {
  const a = spdMatrix(20, 1e4, 3);
  const b = normalMatrix(3, 20, 5);
  for (let i = 0; i < 20; i++) {
    b.data[i] *= 1e-30;
    b.data[40 + i] = 0;
  }
  const { x } = await conjugateGradients(rounded(a, 6), b);
  for (let r = 0; r < 2; r++) {
    const row = matrix(1, 20, b.data.slice(r * 20, (r + 1) * 20));
    const alone = await conjugateGradients(rounded(a, 6), row);
    assertEquals(x.data.slice(r * 20, (r + 1) * 20), alone.x.data);
  }
  assertEquals(frobeniusNorm(matrix(1, 20, x.data.slice(40))), 0);
});

Deno.test("conjugateGradients() reports what it reached when steps run out", async () => {
  const a = spdMatrix(40, 1e6, 3);
  const system = { ...rounded(a, 17), precondition: (rows: Matrix): Promise<Matrix> => Promise.resolve(rows) };
  const { x, backwardError, iterations } = await conjugateGradients(system, normalMatrix(1, 40, 5), {
    maxIterations: 3,
  });
  assertEquals(iterations, 3);
  assertGreater(backwardError, 1e-6);
  const residual = frobeniusNorm(addScaled(multiplyNt(x, a), normalMatrix(1, 40, 5), -1));
  const scale = frobeniusNorm(a) * frobeniusNorm(x) + frobeniusNorm(normalMatrix(1, 40, 5));
  assertLess(Math.abs(backwardError / (residual / scale) - 1), 1e-9);
});

Deno.test("conjugateGradients() does not claim to solve an indefinite system", async () => {
  const a = matrix(2, 2, [1, 2, 2, -1]);
  const system = {
    norm: frobeniusNorm(a),
    multiply: (rows: Matrix): Matrix => multiplyNt(rows, a),
    precondition: (rows: Matrix): Promise<Matrix> => Promise.resolve(rows),
  };
  const { backwardError } = await conjugateGradients(system, matrix(1, 2, [0, 1]), { maxIterations: 4 });
  assertGreater(backwardError, 0.1);
});

Deno.test("conjugateGradients() of no rows takes no step", async () => {
  const { iterations, backwardError } = await conjugateGradients(rounded(spdMatrix(3, 2, 1), 6), matrix(0, 3));
  assertEquals([iterations, backwardError], [0, 0]);
});
