import { assertEquals } from "@std/assert";
import { StageProgress } from "../../src/display/stage_progress.ts";
import type { ProgressSink } from "../../src/display/progress_sinks.ts";

Deno.test("StageProgress shows a bar a stage, with what follows the comma as a note", () => {
  const events: string[] = [];
  const sink: ProgressSink = {
    start: ({ label, total }) => events.push(`start ${label} ${total}`),
    update: ({ done, note }) => events.push(`${done} ${note}`),
    finish: (line) => events.push(`finish ${line}`),
    stop: () => events.push("stop"),
  };
  using progress = new StageProgress({ sink, now: () => 0 });
  progress.update({ stage: "search, nll 2.5", done: 1, total: 60 });
  progress.update({ stage: "search, nll 0.1", done: 2, total: 60 });
  progress.update({ stage: "write layer 7", done: 0, total: 1 });
  progress.finish();
  progress.update({ stage: "write layer 7", done: 1, total: 1 });
  progress[Symbol.dispose]();
  assertEquals(events, [
    "start Search 60",
    "1 nll 2.5",
    "2 nll 0.1",
    "finish Search: nll 0.1",
    "start Write layer 7 1",
    "0 ",
    "finish Write layer 7: 0.0 s",
    "start Write layer 7 1",
    "1 ",
    "stop",
  ]);
});
