import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertExists,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";

/** Runs `check` and returns the message of the failure it must raise; built without the module under test. */
function failureOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    if (error instanceof AssertionError) return error.message;
    throw error;
  }
  throw new Error("The assertion passed and was to fail");
}

const FAILING: [string, () => void][] = [
  ["assert", () => assert(0)],
  ["fail", () => fail()],
  ["assertEquals", () => assertEquals({ a: [1] }, { a: [2] })],
  ["assertEquals on NaN", () => assertEquals<number>(NaN, 0)],
  ["assertNotEquals", () => assertNotEquals([1], [1])],
  ["assertStrictEquals", () => assertStrictEquals([1], [1])],
  ["assertAlmostEquals", () => assertAlmostEquals(1, 1.1, 0.05)],
  ["assertAlmostEquals on NaN", () => assertAlmostEquals(NaN, 1, 10)],
  ["assertExists", () => assertExists(null)],
  ["assertInstanceOf", () => assertInstanceOf([], Map)],
  ["assertStringIncludes", () => assertStringIncludes("abc", "d")],
  ["assertMatch", () => assertMatch("abc", /d/)],
  ["assertGreater", () => assertGreater(1, 1)],
  ["assertLess", () => assertLess(1, 1)],
  ["assertThrows on silence", () => void assertThrows(() => 1)],
  ["assertThrows on another class", () =>
    void assertThrows(() => {
      throw new TypeError("x");
    }, RangeError)],
  ["assertThrows on another message", () =>
    void assertThrows(
      () => {
        throw new TypeError("x");
      },
      TypeError,
      "y",
    )],
];

for (const [name, check] of FAILING) {
  Deno.test(`${name} fails with an AssertionError`, () => {
    if (typeof failureOf(check) !== "string") throw new Error("no message");
  });
}

Deno.test("assertions pass on what they assert", () => {
  assert(1);
  assertEquals(new Float32Array([1, NaN]), new Float32Array([1, NaN]));
  assertNotEquals([1], [2]);
  assertStrictEquals(NaN, NaN);
  assertAlmostEquals(1, 1 + 1e-9);
  assertAlmostEquals(Infinity, Infinity);
  assertExists(0);
  assertInstanceOf(new RangeError(), Error);
  assertStringIncludes("abc", "b");
  assertMatch("abc", /b/g);
  assertGreater(2, 1);
  assertLess(1, 2);
});

Deno.test("a message given by the caller is part of the failure", () => {
  for (const check of [() => assertEquals(1, 2, "layer 3"), () => assertLess(2, 1, "layer 3")]) {
    if (!failureOf(check).includes("layer 3")) throw new Error(failureOf(check));
  }
});

Deno.test("assertThrows() and assertRejects() return the error", async () => {
  const thrown = new RangeError("Cannot open 3: wanted 2");
  const error: RangeError = assertThrows(
    () => {
      throw thrown;
    },
    RangeError,
    "wanted 2",
  );
  assertStrictEquals(error, thrown);
  assertStrictEquals(await assertRejects(() => Promise.reject(thrown), RangeError, "open 3"), thrown);
});

Deno.test("assertRejects() fails on a promise that resolves and on a function that throws at once", async () => {
  const failures = await Promise.allSettled([
    assertRejects(() => Promise.resolve(1)),
    assertRejects(() => {
      throw new Error("at once");
    }),
    assertRejects(() => Promise.reject(new TypeError("x")), RangeError),
  ]);
  for (const result of failures) {
    if (result.status !== "rejected") throw new Error("The assertion passed and was to fail");
    assertInstanceOf(result.reason, AssertionError);
  }
});
