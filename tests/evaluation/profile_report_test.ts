import { assertEquals } from "@std/assert";
import { chromeTrace, kernelTimes, profileTable } from "../../src/evaluation/profile_report.ts";

const ROOFLINE = { multiplyAddGflops: 100, readGBs: 10, copyGBs: 5 };
const LAUNCHES = [
  { kernel: "add", variant: "add", startNs: 5000, durationNs: 1000, bytes: 4000, operations: 0 },
  { kernel: "matmul", variant: "matmul(B_TYPE=0)", startNs: 7000, durationNs: 2000, bytes: 100, operations: 100_000 },
  { kernel: "add", variant: "add", startNs: 9500, durationNs: 500, bytes: 2000, operations: 0 },
];

Deno.test("kernelTimes() adds up by kernel, slowest first, and compares with the nearer bound", () => {
  assertEquals(kernelTimes(LAUNCHES, ROOFLINE), [
    {
      kernel: "matmul",
      launches: 1,
      ms: 0.002,
      share: 2000 / 3500,
      gflops: 50,
      gbs: 0.05,
      // 100,000 operations take 1000 ns at 100 a nanosecond.
      ofRoofline: 0.5,
    },
    // 6000 bytes take 600 ns at 10 a nanosecond.
    { kernel: "add", launches: 2, ms: 0.0015, share: 1500 / 3500, gflops: 0, gbs: 4, ofRoofline: 0.4 },
  ]);
});

Deno.test("profileTable() has a row a kernel and no rate where operations are not counted", () => {
  const { rows } = profileTable(kernelTimes(LAUNCHES, ROOFLINE));
  assertEquals(rows, [
    ["matmul", "1", "0.00", "57.1 %", "50.0", "0.05", "50 %"],
    ["add", "2", "0.00", "42.9 %", "-", "4.00", "40 %"],
  ]);
});

Deno.test("chromeTrace() gives complete events in microseconds since the first launch", () => {
  const { traceEvents } = JSON.parse(chromeTrace(LAUNCHES));
  assertEquals(traceEvents.map((e: { ts: number; dur: number }) => [e.ts, e.dur]), [[0, 1], [2, 2], [4.5, 0.5]]);
  assertEquals(traceEvents[1], {
    name: "matmul",
    cat: "gpu",
    ph: "X",
    ts: 2,
    dur: 2,
    pid: 1,
    tid: 1,
    args: { variant: "matmul(B_TYPE=0)", bytes: 100, operations: 100_000 },
  });
  assertEquals(JSON.parse(chromeTrace([])).traceEvents, []);
});
