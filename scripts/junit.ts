/**
 * Counts of a test run, from the JUnit file that Deno writes.
 *
 * @module
 */

/** How the tests of a run ended. */
export interface TestCounts {
  /** Tests and steps that passed. */
  passed: number;
  /** Tests and steps that failed. */
  failed: number;
  /** Tests and steps that did not run though they were asked for. */
  skipped: number;
  /** Names of the skipped ones, as `tests/a_test.ts: name`. */
  skippedNames: string[];
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(#x?[\da-f]+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
    return String.fromCodePoint(code);
  });
}

function attribute(attributes: string, name: string): string | undefined {
  const value = attributes.match(new RegExp(`(?:^|\\s)${name}="([^"]*)"`))?.[1];
  return value === undefined ? undefined : decode(value);
}

/**
 * Counts the test cases in a JUnit file.
 *
 * Deno marks a test that a filter left out as skipped too, but gives it no time: those are not counted.
 *
 * @param xml Text of the file.
 */
export function countTests(xml: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };
  for (const [, attributes, body = ""] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (/<(?:failure|error)\b/.test(body)) counts.failed += 1;
    else if (!/<skipped\b/.test(body)) counts.passed += 1;
    else if (attribute(attributes!, "time") !== undefined) {
      counts.skipped += 1;
      counts.skippedNames.push(`${attribute(attributes!, "classname")}: ${attribute(attributes!, "name")}`);
    }
  }
  return counts;
}

/**
 * Writes counts as the one line that ends a run.
 *
 * @returns `N passed, N failed`, and `, N skipped` if there are any.
 */
export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
