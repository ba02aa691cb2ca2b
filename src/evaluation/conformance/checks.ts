/**
 * Comparisons with golden values: every check is a worst error beside its tolerance.
 *
 * @module
 */

/** One comparison. */
export interface Check {
  /** What was compared. */
  readonly what: string;
  /** Largest distance found; infinite where a value is no number or the sizes differ. */
  readonly error: number;
  /** Largest distance allowed. */
  readonly tolerance: number;
}

/** Every comparison of one golden case. */
export interface CheckedCase {
  /** Name of the case. */
  readonly name: string;
  /** Comparisons in the order in which they were made. */
  readonly checks: readonly Check[];
}

/**
 * Whether a check holds.
 *
 * @returns False also where the error is no number.
 */
export function holds(check: Check): boolean {
  return check.error <= check.tolerance;
}

/**
 * Largest distance between two arrays.
 *
 * @returns Infinity where the lengths differ or a value is no number.
 */
export function largestError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i]! - want[i]!);
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
  }
  return worst;
}

/** Largest absolute value of an array; 0 for an empty one. */
export function largestAbsolute(values: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < values.length; i++) worst = Math.max(worst, Math.abs(values[i]!));
  return worst;
}

/** Checks that no element is further from its golden value than `tolerance`. */
export function checkAbsolute(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
): Check {
  return { what, error: largestError(got, want), tolerance };
}

/** Checks that no element is further from its golden value than `fraction` of the largest golden value. */
export function checkRelative(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  fraction: number,
): Check {
  return { what, error: largestError(got, want), tolerance: fraction * largestAbsolute(want) };
}

/** Checks that two lists agree element by element. */
export function checkSame(what: string, got: readonly unknown[], want: readonly unknown[]): Check {
  const longest = Math.max(got.length, want.length);
  let differences = 0;
  for (let i = 0; i < longest; i++) if (got[i] !== want[i]) differences++;
  return { what, error: differences, tolerance: 0 };
}

/** An entry of a ranking: a name and the score that ranks it. */
export interface Ranked {
  /** Name of the entry. */
  readonly name: string;
  /** Its score. */
  readonly score: number;
}

/**
 * Checks a ranking: place by place the scores agree, and an entry may stand in another's place only where both golden
 * scores are within the tolerance of each other.
 *
 * @param scoreOf Golden score of any entry, also of those that are not listed.
 */
export function checkRanking(
  what: string,
  got: readonly Ranked[],
  want: readonly Ranked[],
  scoreOf: (name: string) => number,
  tolerance: number,
): Check {
  if (got.length !== want.length || new Set(got.map(({ name }) => name)).size !== got.length) {
    return { what, error: Infinity, tolerance };
  }
  const golden = got.map(({ name }) => scoreOf(name));
  const error = Math.max(
    largestError(got.map(({ score }) => score), golden),
    largestError(golden, want.map(({ score }) => score)),
  );
  return { what, error, tolerance };
}
