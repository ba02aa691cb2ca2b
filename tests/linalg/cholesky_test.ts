import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { Cholesky, IllConditionedError, solveDense } from "../../src/linalg/cholesky.ts";
import { addScaled, frobeniusNorm, matrix, multiply, multiplyNt } from "../../src/linalg/dense.ts";
import { normalMatrix, spdMatrix } from "../reference/random.ts";

const UNIT = 2 ** -53;
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65];

Deno.test("Cholesky factors so that L times its transpose is the matrix", () => {
  for (const n of SIZES) {
    const a = spdMatrix(n, 1e4, n);
    const { lower } = new Cholesky(a);
    const error = addScaled(multiplyNt(lower, lower), a, -1);
    // |L Lᵀ - A| <= (n + 1) u |L| |Lᵀ| by element (Higham 2002, theorem 10.3); the test's own product adds n u.
    const size = multiplyNt(
      matrix(n, n, lower.data.map(Math.abs)),
      matrix(n, n, lower.data.map(Math.abs)),
    );
    error.data.forEach((value, i) => assert(Math.abs(value) <= 2 * (n + 1) * UNIT * size.data[i]));
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) assertEquals(lower.data[i * n + j], 0);
  }
});

Deno.test("Cholesky factors a matrix worked out by hand", () => {
  const { lower } = new Cholesky(matrix(3, 3, [4, 12, -16, 12, 37, -43, -16, -43, 98]));
  assertEquals([...lower.data], [2, 0, 0, 6, 1, 0, -8, 5, 3]);
});

Deno.test("Cholesky.solve() has a backward error of rounding size at every condition", () => {
  for (const n of SIZES) {
    for (const condition of [1, 1e6, 1e11]) {
      const a = spdMatrix(n, condition, n);
      const b = normalMatrix(3, n, 5);
      const x = new Cholesky(a).solve(b);
      const error = frobeniusNorm(addScaled(multiplyNt(x, a), b, -1));
      // Theorem 10.4: (A + E) x = b with |E| <= 4 n (3 n + 1) u |A| in the 2-norm, at worst.
      assertLess(error, 4 * n * (3 * n + 1) * UNIT * frobeniusNorm(a) * frobeniusNorm(x) + Number.MIN_VALUE);
    }
  }
});

Deno.test("Cholesky.solveLower() and solveLowerTransposed() undo the factor and its transpose", () => {
  const n = 19;
  const cholesky = new Cholesky(spdMatrix(n, 100, 3));
  const x = normalMatrix(2, n, 4);
  const forward = cholesky.solveLower(multiplyNt(x, cholesky.lower));
  const backward = cholesky.solveLowerTransposed(multiply(x, cholesky.lower));
  // Forward error n u cond(L) with cond(L) = 10, from the product and from the solve.
  const bound = 4 * n * UNIT * 10 * frobeniusNorm(x) * Math.sqrt(n);
  assertLess(frobeniusNorm(addScaled(forward, x, -1)), bound);
  assertLess(frobeniusNorm(addScaled(backward, x, -1)), bound);
});

Deno.test("Cholesky.conditionEstimate is within the known factors of the condition number", () => {
  for (const n of [1, 2, 7, 32, 65]) {
    for (const condition of [1, 1e3, 1e7, 1e10]) {
      const { conditionEstimate } = new Cholesky(spdMatrix(n, condition, n + 1));
      const wanted = n === 1 ? 1 : condition;
      // 2-norm and 1-norm condition numbers differ by at most n; the estimate falls short by at most about 3.
      assertGreater(conditionEstimate, wanted / (3 * n));
      assertLess(conditionEstimate, wanted * n * 1.01 + 1e-9);
    }
  }
});

Deno.test("Cholesky refuses a bad pivot with its index and a bound on the condition", () => {
  const error = assertThrows(
    () => new Cholesky(matrix(2, 2, [1, 2, 2, 1]), { label: "the moment" }),
    IllConditionedError,
    "Cannot factor the moment [2, 2]: pivot 1 is -3, wanted a positive one; the condition number is at least",
  );
  assertGreater((error as IllConditionedError).conditionEstimate, 1e15);
  assertThrows(() => new Cholesky(matrix(1, 1, [NaN])), IllConditionedError, "pivot 0 is NaN");
  assertThrows(() => new Cholesky(matrix(1, 1, [0])), IllConditionedError, "pivot 0 is 0");
  assertThrows(() => new Cholesky(matrix(1, 1, [Infinity])), IllConditionedError, "pivot 0 is Infinity");
});

Deno.test("Cholesky refuses a condition above the limit with the estimate and a remedy", () => {
  const error = assertThrows(
    () => new Cholesky(spdMatrix(20, 1e9, 1), { maxCondition: 1e6 }),
    IllConditionedError,
    "wanted at most 1.0e+6. Add a ridge or use more data",
  ) as IllConditionedError;
  assertStringIncludes(error.message, error.conditionEstimate.toExponential(1));
});

Deno.test("Cholesky refuses a matrix that is not square and rows of another size", () => {
  assertThrows(
    () => new Cholesky(matrix(2, 3)),
    RangeError,
    "Cannot factor the matrix: wanted a square one, got [2, 3]",
  );
  assertThrows(
    () => new Cholesky(spdMatrix(3, 10, 1)).solve(matrix(1, 2)),
    RangeError,
    "Cannot solve with a factor [3, 3]: right-hand sides must be rows of 3, got [1, 2]",
  );
});

Deno.test("solveDense() reports a backward error of a few units and finds a known solution", () => {
  for (const n of [1, 5, 33]) {
    const a = spdMatrix(n, 1e3, n);
    const known = normalMatrix(4, n, 9);
    const { x, backwardError, conditionEstimate } = solveDense(a, multiplyNt(known, a));
    assertLess(backwardError, 2 * n * UNIT);
    assertLess(
      frobeniusNorm(addScaled(x, known, -1)) / frobeniusNorm(known),
      4 * n * UNIT * Math.max(conditionEstimate, 1e3) * n,
    );
  }
});

Deno.test("solveDense() accepts zero right-hand sides and a zero one", () => {
  const a = spdMatrix(4, 10, 2);
  assertEquals(solveDense(a, matrix(0, 4)).x.rows, 0);
  const zero = solveDense(a, matrix(1, 4));
  assertEquals([...zero.x.data, zero.backwardError], [0, 0, 0, 0, 0]);
});
