import { assertAlmostEquals, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  addScaled,
  checkSquare,
  dot,
  frobeniusNorm,
  gram,
  infinityNorm,
  matrix,
  maxNorm,
  multiply,
  multiplyNt,
  transpose,
} from "../../src/linalg/dense.ts";
import { normalMatrix } from "../reference/random.ts";

const a = matrix(2, 3, [1, 2, 3, 4, 5, 6]);
const b = matrix(3, 2, [7, 8, 9, 10, 11, 12]);

Deno.test("matrix() refuses a wrong number of elements and takes a Float64Array without a copy", () => {
  assertThrows(
    () => matrix(2, 3, [1]),
    RangeError,
    "Cannot make a matrix [2, 3]: wanted 6 elements, got 1",
  );
  const data = new Float64Array(4);
  assertStrictEquals(matrix(2, 2, data).data, data);
  assertEquals([...matrix(1, 2).data], [0, 0]);
});

Deno.test("multiply() gives the product worked out by hand and refuses inner dimensions that differ", () => {
  assertEquals([...multiply(a, b).data], [58, 64, 139, 154]);
  assertThrows(
    () => multiply(a, a),
    RangeError,
    "Cannot multiply a [2, 3] by b [2, 3]: inner dimensions must match, got 3 and 2",
  );
});

Deno.test("multiplyNt() multiplies by the transpose", () => {
  assertEquals([...multiplyNt(a, a).data], [14, 32, 32, 77]);
  assertThrows(
    () => multiplyNt(a, b),
    RangeError,
    "Cannot multiply a [2, 3] by b transposed [3, 2]: inner dimensions must match, got 3 and 2",
  );
});

Deno.test("gram() gives the product with the own transpose, symmetric, for even and odd numbers of rows", () => {
  assertEquals([...gram(a).data], [14, 32, 32, 77]);
  for (const [rows, inner] of [[0, 3], [1, 1], [2, 5], [5, 7], [6, 31], [17, 4]]) {
    const x = normalMatrix(rows, inner, 3);
    const magnitudes = matrix(rows, inner, x.data.map(Math.abs));
    const found = gram(x), wanted = multiply(x, transpose(x));
    const size = multiply(magnitudes, transpose(magnitudes));
    assertEquals(found, transpose(found));
    found.data.forEach((value, i) =>
      assertAlmostEquals(value, wanted.data[i], 2 * inner * 2 ** -53 * size.data[i] + 1e-300)
    );
  }
});

Deno.test("multiply() and multiplyNt() agree at awkward sizes within the bound of a sum", () => {
  for (const [rows, inner, cols] of [[1, 1, 1], [0, 3, 2], [5, 7, 3], [13, 4, 17], [2, 31, 1]]) {
    const x = normalMatrix(rows, inner, 1), y = normalMatrix(inner, cols, 2);
    const first = multiply(x, y), second = multiplyNt(x, transpose(y));
    const size = multiply(
      matrix(rows, inner, x.data.map(Math.abs)),
      matrix(inner, cols, y.data.map(Math.abs)),
    );
    first.data.forEach((value, i) =>
      assertAlmostEquals(value, second.data[i], 2 * inner * 2 ** -53 * size.data[i] + 1e-300)
    );
  }
});

Deno.test("transpose() turns rows into columns", () => {
  assertEquals(transpose(a), matrix(3, 2, [1, 4, 2, 5, 3, 6]));
});

Deno.test("addScaled() adds a multiple and refuses other shapes", () => {
  assertEquals([...addScaled(a, a, -0.5).data], [0.5, 1, 1.5, 2, 2.5, 3]);
  assertThrows(() => addScaled(a, b, 1), RangeError, "Cannot add a [2, 3] and b [3, 2]: shapes must match");
});

Deno.test("frobeniusNorm(), infinityNorm() and maxNorm() measure what they say, without overflow", () => {
  assertAlmostEquals(frobeniusNorm(a), Math.sqrt(91), 1e-14);
  assertEquals(infinityNorm(matrix(2, 2, [1, -2, -3, 4])), 7);
  assertEquals(maxNorm(matrix(2, 2, [1, -2, -3, 2])), 3);
  assertAlmostEquals(frobeniusNorm(matrix(1, 2, [3e200, 4e200])), 5e200, 1e185);
  assertEquals(frobeniusNorm(matrix(0, 0)), 0);
});

Deno.test("dot() sums only the first elements, at every remainder of four", () => {
  const x = Float64Array.from({ length: 9 }, (_, i) => i + 1);
  for (let count = 0; count <= 9; count++) assertEquals(dot(x, x, count), count * (count + 1) * (2 * count + 1) / 6);
});

Deno.test("checkSquare() names the action and the shape", () => {
  assertThrows(() => checkSquare("factor it", a), RangeError, "Cannot factor it: wanted a square one, got [2, 3]");
});
