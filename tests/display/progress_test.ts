import { PassThrough } from "node:stream";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatDuration } from "../../src/display/duration.ts";
import { Progress } from "../../src/display/progress.ts";
import { barSink, describeProgress, lineSink, notebookSink } from "../../src/display/progress_sinks.ts";

Deno.test("formatDuration() keeps the digits that matter", () => {
  const times = [0, 400, 9_940, 9_960, 41_400, 59_600, 185_000, 3_599_600, 7_800_000];
  assertEquals(times.map(formatDuration), [
    "0.0 s",
    "0.4 s",
    "9.9 s",
    "10 s",
    "41 s",
    "1 min 00 s",
    "3 min 05 s",
    "1 h 00 min",
    "2 h 10 min",
  ]);
});

Deno.test("Progress estimates the time left from the steps done", () => {
  let clock = 1000;
  const progress = new Progress("Work", 4, { sink: lineSink(() => {}), now: () => clock });
  assertEquals(progress.state(), { label: "Work", total: 4, done: 0, note: "", elapsedMs: 0 });
  clock = 4000;
  progress.update(1, "layer 0");
  assertEquals(progress.state().leftMs, 9000);
  assertEquals(describeProgress(progress.state()), "1/4 layer 0, 9.0 s left");
  progress.advance(7);
  assertEquals(describeProgress(progress.state()), "4/4");
});

Deno.test("Progress writes one line a stage where there is no terminal", () => {
  const lines: string[] = [];
  let clock = 0;
  const options = { sink: lineSink((line) => lines.push(line)), now: () => clock };
  {
    using progress = new Progress("Second moments", 2, options);
    progress.advance();
    clock = 2100;
    progress.advance();
    progress.finish();
    progress.finish("again");
  }
  {
    using broken = new Progress("Search", 9, options);
    broken.update(1);
  }
  assertEquals(lines, ["Second moments: 2 of 2 in 2.1 s"]);
});

Deno.test("Progress replaces one display of a notebook at most every 200 ms", async () => {
  const shown: { text: string; html: string | undefined; id: string | undefined; update: boolean | undefined }[] = [];
  const notebook = {
    display(value: unknown, options: { display_id?: string; update?: boolean } = {}): Promise<void> {
      const bundle = value as Record<string, string>;
      shown.push({
        text: bundle["text/plain"],
        html: bundle["text/html"],
        id: options.display_id,
        update: options.update,
      });
      return Promise.resolve();
    },
  };
  let clock = 0;
  const now = (): number => clock;
  const progress = new Progress("Layers <1>", 100, { sink: notebookSink(notebook, now), now });
  for (let step = 1; step <= 100; step++) {
    clock = 10 * step;
    progress.update(step);
  }
  progress.finish("done");
  await new Promise((resolve) => setTimeout(resolve, 5));
  // The start, updates at 10, 210, 410, 610 and 810 ms, and the end.
  assertEquals(shown.map(({ text }) => text), [
    "Layers <1>: 0/100",
    "Layers <1>: 1/100, 1.0 s left",
    "Layers <1>: 21/100, 0.8 s left",
    "Layers <1>: 41/100, 0.6 s left",
    "Layers <1>: 61/100, 0.4 s left",
    "Layers <1>: 81/100, 0.2 s left",
    "Layers <1>: done",
  ]);
  assertEquals(new Set(shown.map(({ id }) => id)).size, 1);
  assertEquals(shown.map(({ update }) => update), [false, true, true, true, true, true, true]);
  assertStringIncludes(shown[1].html ?? "", '<progress value="1" max="100"></progress> Layers &lt;1>');
});

Deno.test("Progress draws a bar that never wraps and leaves the terminal as it was", async () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  let written = "";
  stream.on("data", (chunk) => written += chunk);
  const progress = new Progress("A rather long label of a stage", 10, { sink: barSink(stream) });
  progress.update(5, "a note that is much too long for the rest of the line");
  await new Promise((resolve) => setTimeout(resolve, 250));
  progress.finish();
  // deno-lint-ignore no-control-regex -- terminal sequences are what is tested
  const lines = written.split(/\u001b\[[0-9;?]*[A-Za-z]|\u001b[78]|\n/).filter((line) => line.includes("\u2591"));
  assert(lines.some((line) => line.includes("\u2588".repeat(12) + "\u2591".repeat(12) + " 5/10")), written);
  for (const line of lines) assert([...line].length <= 79, `${[...line].length} columns`);
  assert(!written.includes("\u001b[?25l") && !written.includes("\u001b[?7l"), "cursor and wrapping are left alone");
  assertStringIncludes(written, "A rather long label of a stage: 5 of 10 in ");
});

Deno.test("Progress refuses a stage without steps", () => {
  assertThrows(
    () => new Progress("Search", 0),
    RangeError,
    'Cannot show progress of "Search": found 0 steps, wanted at least 1',
  );
});
