/**
 * The assertions of `@std/assert` that this project's tests use, with the same names and signatures, over
 * `node:assert/strict`: the import map points here because JSR is not reachable from every network.
 *
 * Equality is that of `deepStrictEqual`, a little stricter than the original's (`0` differs from `-0`), so a test that
 * passes here passes there.
 *
 * @module
 */
import nodeAssert, { AssertionError } from "node:assert/strict";

export { AssertionError };

/** A constructor of `E`, abstract or not. */
// deno-lint-ignore no-explicit-any -- the original's signature: a subclass may take any arguments
export type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

function failure(found: string, msg: string | undefined, caller: (...args: never[]) => unknown): AssertionError {
  return new AssertionError({ message: msg === undefined ? found : `${found}: ${msg}`, stackStartFn: caller });
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return Deno.inspect(value, { depth: 4, iterableLimit: 20, strAbbreviateSize: 200 });
}

function compare(check: () => void, msg: string | undefined, caller: (...args: never[]) => unknown): void {
  try {
    check();
  } catch (error) {
    throw failure((error as Error).message.trimEnd(), msg, caller);
  }
}

/**
 * Asserts that `expr` is truthy.
 *
 * @throws {AssertionError} If it is not.
 */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError({ message: msg, actual: expr, expected: true, stackStartFn: assert });
}

/**
 * Fails at once.
 *
 * @throws {AssertionError} Always.
 */
export function fail(msg?: string): never {
  throw failure("Failed assertion", msg, fail);
}

/**
 * Asserts that `actual` and `expected` are deeply equal, prototypes included.
 *
 * @throws {AssertionError} If they differ.
 */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  compare(() => nodeAssert.deepStrictEqual(actual, expected), msg, assertEquals);
}

/**
 * Asserts that `actual` and `expected` are not deeply equal.
 *
 * @throws {AssertionError} If they are equal.
 */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  compare(() => nodeAssert.notDeepStrictEqual(actual, expected), msg, assertNotEquals);
}

/**
 * Asserts that `actual` is the very value `expected`, by `Object.is`.
 *
 * @throws {AssertionError} If it is not.
 */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  compare(() => nodeAssert.strictEqual(actual, expected), msg, assertStrictEquals);
}

/**
 * Asserts that `actual` is not the very value `expected`, by `Object.is`.
 *
 * @throws {AssertionError} If it is.
 */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  compare(() => nodeAssert.notStrictEqual(actual, expected), msg, assertNotStrictEquals);
}

/**
 * Asserts that two numbers differ by at most `tolerance`, 1e-7 of `expected` unless given.
 *
 * @throws {AssertionError} If they differ by more, or one is not a number.
 */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return;
  const found = `Expected actual: ${actual} to be close to ${expected}: delta ${delta} is greater than ${allowed}`;
  throw failure(found, msg, assertAlmostEquals);
}

/**
 * Asserts that `actual` is neither null nor undefined.
 *
 * @throws {AssertionError} If it is.
 */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    throw failure(`Expected actual: "${actual}" to not be null or undefined`, msg, assertExists);
  }
}

/**
 * Asserts that `actual` is an instance of `expectedType`.
 *
 * @throws {AssertionError} If it is not.
 */
// deno-lint-ignore no-explicit-any -- the original's signature
export function assertInstanceOf<T extends abstract new (...args: any[]) => any>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw failure(
    `Expected ${show(actual)} to be an instance of ${expectedType.name}`,
    msg || undefined,
    assertInstanceOf,
  );
}

/**
 * Asserts that the text `actual` contains `expected`.
 *
 * @throws {AssertionError} If it does not.
 */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  throw failure(`Expected actual: ${show(actual)} to contain: ${show(expected)}`, msg, assertStringIncludes);
}

/**
 * Asserts that the text `actual` matches `expected`.
 *
 * @throws {AssertionError} If it does not.
 */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  expected.lastIndex = 0;
  if (expected.test(actual)) return;
  throw failure(`Expected actual: ${show(actual)} to match: ${expected}`, msg, assertMatch);
}

/**
 * Asserts that the text `actual` does not match `expected`.
 *
 * @throws {AssertionError} If it does.
 */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  expected.lastIndex = 0;
  if (!expected.test(actual)) return;
  throw failure(`Expected actual: ${show(actual)} to not match: ${expected}`, msg, assertNotMatch);
}

/**
 * Asserts that `actual > expected`.
 *
 * @throws {AssertionError} If it is not.
 */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw failure(`Expect ${show(actual)} > ${show(expected)}`, msg, assertGreater);
}

/**
 * Asserts that `actual >= expected`.
 *
 * @throws {AssertionError} If it is not.
 */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (actual >= expected) return;
  throw failure(`Expect ${show(actual)} >= ${show(expected)}`, msg, assertGreaterOrEqual);
}

/**
 * Asserts that `actual < expected`.
 *
 * @throws {AssertionError} If it is not.
 */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw failure(`Expect ${show(actual)} < ${show(expected)}`, msg, assertLess);
}

/**
 * Asserts that `actual <= expected`.
 *
 * @throws {AssertionError} If it is not.
 */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (actual <= expected) return;
  throw failure(`Expect ${show(actual)} <= ${show(expected)}`, msg, assertLessOrEqual);
}

function checkError(
  error: unknown,
  errorClass: ErrorClass<Error> | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
  caller: (...args: never[]) => unknown,
): void {
  if (errorClass === undefined) return;
  if (!(error instanceof Error)) throw failure(`A non-Error object was thrown: ${show(error)}`, msg, caller);
  const found = `${error.constructor.name}: ${error.message}`;
  if (!(error instanceof errorClass)) {
    throw failure(`Expected error to be instance of "${errorClass.name}", but was "${found}"`, msg, caller);
  }
  if (msgIncludes !== undefined && !error.message.includes(msgIncludes)) {
    throw failure(`Expected error message to include ${show(msgIncludes)}, but got ${show(found)}`, msg, caller);
  }
}

type ThrowArguments<E extends Error> = [errorClassOrMsg?: ErrorClass<E> | string, msgIncludes?: string, msg?: string];

function readArguments<E extends Error>(
  [errorClassOrMsg, msgIncludes, msg]: ThrowArguments<E>,
): { errorClass: ErrorClass<E> | undefined; msgIncludes: string | undefined; msg: string | undefined } {
  if (typeof errorClassOrMsg === "string") {
    return { errorClass: undefined, msgIncludes: undefined, msg: errorClassOrMsg };
  }
  return { errorClass: errorClassOrMsg, msgIncludes, msg };
}

/**
 * Asserts that `fn` throws, and returns what it threw.
 *
 * @throws {AssertionError} If it does not throw.
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that `fn` throws an error of `errorClass` whose message contains `msgIncludes`, and returns it.
 *
 * @throws {AssertionError} If it does not throw, or throws something else.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(fn: () => unknown, ...rest: ThrowArguments<E>): unknown {
  const { errorClass, msgIncludes, msg } = readArguments(rest);
  try {
    fn();
  } catch (error) {
    checkError(error, errorClass, msgIncludes, msg, assertThrows);
    return error;
  }
  throw failure("Expected function to throw", msg, assertThrows);
}

/**
 * Asserts that the promise `fn` returns rejects, and returns the reason.
 *
 * @throws {AssertionError} If it does not reject, or `fn` throws before it returns a promise.
 */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/**
 * Asserts that the promise `fn` returns rejects with an error of `errorClass` whose message contains `msgIncludes`, and
 * returns it.
 *
 * @throws {AssertionError} If it does not reject, or rejects with something else.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  ...rest: ThrowArguments<E>
): Promise<unknown> {
  const { errorClass, msgIncludes, msg } = readArguments(rest);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    throw failure(`Function throws when expected to reject: ${show(error)}`, msg, assertRejects);
  }
  try {
    await promise;
  } catch (error) {
    checkError(error, errorClass, msgIncludes, msg, assertRejects);
    return error;
  }
  throw failure("Expected function to reject", msg, assertRejects);
}
