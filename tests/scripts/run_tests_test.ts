import { assertEquals, assertStringIncludes } from "@std/assert";
import { countTests, summaryLine } from "../../scripts/junit.ts";
import { judgeRun } from "../../scripts/run_tests.ts";
import { PROJECT_ROOT } from "../../scripts/source_files.ts";

/** A JUnit file as Deno 2.9 writes it: two pass, one fails, one is ignored, one was left out by a filter. */
const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.053">
    <testsuite name="./tests/a_test.ts" tests="5" disabled="2" errors="0" failures="1">
        <testcase name="a &amp; b" classname="./tests/a_test.ts" time="0.000" line="2" col="6">
        </testcase>
        <testcase name="c &gt; d" classname="./tests/a_test.ts" time="0.000" line="3" col="6">
        </testcase>
        <testcase name="fails" classname="./tests/a_test.ts" time="0.002" line="4" col="6">
            <failure message="Uncaught Error: &lt;skipped/&gt;">Error: x &lt;y&gt;</failure>
        </testcase>
        <testcase name="needs &quot;Chromium&quot;" classname="./tests/a_test.ts" time="0.000" line="5" col="6">
            <skipped/>
        </testcase>
        <testcase name="not asked for" classname="./tests/a_test.ts" line="6" col="6">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>
`;
const PASSING = '<testcase name="a" classname="./a_test.ts" time="0.1" line="1" col="1">\n</testcase>';

Deno.test("countTests() counts what passed, failed and was skipped, not what a filter left out", () => {
  const names = ['./tests/a_test.ts: needs "Chromium"'];
  assertEquals(countTests(JUNIT), { passed: 2, failed: 1, skipped: 1, skippedNames: names });
  assertEquals(countTests(""), { passed: 0, failed: 0, skipped: 0, skippedNames: [] });
});

Deno.test("summaryLine() names skipped tests only where there are some", () => {
  const counts = { passed: 12, failed: 0, skipped: 0, skippedNames: [] };
  assertEquals(summaryLine(counts), "12 passed, 0 failed");
  assertEquals(summaryLine({ ...counts, skipped: 2 }), "12 passed, 0 failed, 2 skipped");
});

Deno.test("judgeRun() ends with the summary, names skipped tests and gives their reasons once", () => {
  const output = ["skipped: no Chromium", "a ... ok", "skipped: no Chromium"];
  const { lines, exitCode } = judgeRun({ code: 1, junit: JUNIT, output });
  assertEquals(lines, [
    "Skipped tests:",
    '  ./tests/a_test.ts: needs "Chromium"',
    "Reasons:",
    "  no Chromium",
    "2 passed, 1 failed, 1 skipped",
  ]);
  assertEquals(exitCode, 1);
});

Deno.test("judgeRun() passes a run without failures", () => {
  assertEquals(judgeRun({ code: 0, junit: PASSING, output: [] }), { lines: ["1 passed, 0 failed"], exitCode: 0 });
});

Deno.test("judgeRun() fails a run in which no test ran", () => {
  const { lines, exitCode } = judgeRun({ code: 0, junit: "", output: [] });
  assertEquals([lines.at(-1), exitCode], ["0 passed, 0 failed", 1]);
  assertStringIncludes(lines.join("\n"), "No test ran");
});

Deno.test("judgeRun() counts files that fail outside their tests", () => {
  const output = ["Uncaught error from ./tests/b_test.ts FAILED"];
  const { lines, exitCode } = judgeRun({ code: 1, junit: PASSING, output });
  assertEquals(lines, ["./tests/b_test.ts failed outside its tests", "1 passed, 1 failed"]);
  assertEquals(exitCode, 1);
});

Deno.test("judgeRun() counts a failed type check as a failure", () => {
  const { lines, exitCode } = judgeRun({ code: 1, junit: "", output: [] });
  assertStringIncludes(lines[0]!, "deno test ended with exit code 1 outside the tests");
  assertEquals([lines.at(-1), exitCode], ["0 passed, 1 failed", 1]);
});

Deno.test("run_tests.ts runs the examples of a file and counts them, though it holds no test", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "scripts/run_tests.ts", "--no-check", "src/gpu/gpu.ts"],
    cwd: PROJECT_ROOT,
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)], [0, "1 passed, 0 failed"]);
});

const bash = Deno.build.os !== "windows";
if (!bash) console.log("skipped: .ci/run needs bash");

/** Runs `.ci/run` in a folder whose `scripts/up.sh` is `up`; returns its last line and exit code. */
async function runCi(up: string): Promise<[string, number]> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/.ci`);
    await Deno.mkdir(`${folder}/scripts`);
    await Deno.copyFile(`${import.meta.dirname}/../../.ci/run`, `${folder}/.ci/run`);
    await Deno.writeTextFile(`${folder}/scripts/up.sh`, up);
    const { code, stdout } = await new Deno.Command("bash", { args: [`${folder}/.ci/run`], cwd: "/" }).output();
    return [new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!, code];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: ".ci/run ends with the summary alone and keeps the exit code",
  ignore: !bash,
  fn: async () => {
    assertEquals(await runCi("echo '3 passed, 0 failed'"), ["3 passed, 0 failed", 0]);
    assertEquals(await runCi("echo '3 passed, 1 failed, 2 skipped'; exit 1"), ["3 passed, 1 failed, 2 skipped", 1]);
    assertEquals(await runCi("echo '3 passed, 0 failed'; echo late >&2"), ["3 passed, 0 failed", 0]);
    assertEquals(await runCi("echo 'no adapter' >&2; exit 1"), ["0 passed, 0 failed", 1]);
    assertEquals(await runCi("exit 0"), ["0 passed, 0 failed", 1]);
  },
});
