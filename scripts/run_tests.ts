/**
 * Runs the tests and ends with one line of counts: `N passed, N failed`, and `, N skipped` if there are any.
 *
 * Each example in a doc comment or in the README is a test among them; `test.include` in `deno.json` says where they are.
 *
 * Arguments are handed to `deno test`: files, folders, `--filter`.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { command, run } from "./cli/command.ts";
import { countTests, summaryLine, type TestCounts } from "./junit.ts";
import { PROJECT_ROOT } from "./source_files.ts";

/** What a run of `deno test` left behind. */
export interface TestRun {
  /** Exit code of `deno test`. */
  code: number;
  /** Text of the JUnit file, empty if none was written. */
  junit: string;
  /** Lines that the run printed. */
  output: readonly string[];
}

/** The verdict over a run. */
export interface TestReport {
  /** Lines to print, the summary last. */
  lines: string[];
  /** 0 if at least one test ran and none failed, else 1. */
  exitCode: number;
}

/** Lists what failed outside any test, which the JUnit file leaves out. */
function failuresOutsideTests({ code, output }: TestRun, counts: TestCounts): string[] {
  const files = output.flatMap((line) => line.match(/^Uncaught error from (.*) FAILED$/)?.[1] ?? []);
  if (files.length > 0) return files.map((file) => `${file} failed outside its tests`);
  if (code !== 0 && counts.failed === 0) return [`deno test ended with exit code ${code} outside the tests: see above`];
  return [];
}

/**
 * Judges a run by its JUnit file, its exit code and what failed outside the tests.
 *
 * @param run What `deno test` left behind.
 */
export function judgeRun(run: TestRun): TestReport {
  const counts = countTests(run.junit);
  const outside = failuresOutsideTests(run, counts);
  counts.failed += outside.length;
  const lines = [...outside];
  if (counts.skipped > 0) {
    const reasons = new Set(run.output.filter((line) => line.startsWith("skipped: ")));
    lines.push("Skipped tests:", ...counts.skippedNames.map((name) => `  ${name}`));
    lines.push("Reasons:", ...[...reasons].map((reason) => `  ${reason.slice("skipped: ".length)}`));
  }
  if (counts.passed + counts.failed === 0) lines.push("No test ran: that is a failure");
  lines.push(summaryLine(counts));
  return { lines, exitCode: counts.passed === 0 || counts.failed > 0 ? 1 : 0 };
}

/** Copies a stream to `sink` as it comes and returns its lines without colours. */
async function tee(
  stream: ReadableStream<Uint8Array>,
  sink: { writeSync(bytes: Uint8Array): number },
): Promise<string[]> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(sink.writeSync(rest));
    text += decoder.decode(chunk, { stream: true });
  }
  return stripVTControlCharacters(text).split("\n").map((line) => line.trimEnd());
}

async function runDenoTest(args: readonly string[], signal: AbortSignal): Promise<TestRun> {
  const folder = await Deno.makeTempDir({ prefix: "ace_webgpu_tests_" });
  try {
    const junitPath = `${folder}/junit.xml`;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--doc", `--junit-path=${junitPath}`, ...args],
      cwd: PROJECT_ROOT,
      stdout: "piped",
      stderr: "inherit",
      signal,
    });
    const child = command.spawn();
    const output = await tee(child.stdout, Deno.stdout);
    const { code } = await child.status;
    const junit = await Deno.readTextFile(junitPath).catch(() => "");
    return { code, junit, output };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const program = command(
    "test",
    "Runs the tests and the examples of the docs, and ends with one line of counts.",
    "deno task test tests/model --filter generate",
    { without: ["model", "seed", "out", "json"] },
  )
    .argument("[args...]", "what `deno test` takes: files, folders, flags; all tests if absent")
    .allowUnknownOption();
  await run(program, async (signal) => {
    const tests = await runDenoTest(Deno.args, signal);
    signal.throwIfAborted();
    const report = judgeRun(tests);
    console.log(report.lines.join("\n"));
    Deno.exit(report.exitCode);
  });
}
