/**
 * Where the time of a run went: launches added up by kernel, against the roofline of the device.
 *
 * @module
 */
import type { Table } from "../display/table.ts";
import type { LaunchTime } from "../gpu/profiler.ts";
import type { Roofline } from "./doctor/roofline.ts";

/** All launches of one kernel. */
export interface KernelTime {
  /** Kernel: `rms_norm`. */
  readonly kernel: string;
  /** Number of launches. */
  readonly launches: number;
  /** Time in all, milliseconds. */
  readonly ms: number;
  /** Share of the time of all kernels. */
  readonly share: number;
  /** 1e9 floating-point operations a second; 0 where they are not counted. */
  readonly gflops: number;
  /** 1e9 bytes of bound tensors a second. */
  readonly gbs: number;
  /** Time that the roofline allows over time taken; caches can bring it above 1. */
  readonly ofRoofline: number;
}

/**
 * Adds launches up by kernel, the slowest first.
 *
 * @param roofline What the device reaches at best.
 */
export function kernelTimes(launches: readonly LaunchTime[], roofline: Roofline): KernelTime[] {
  const sum = (own: readonly LaunchTime[], value: (launch: LaunchTime) => number): number =>
    own.reduce((total, launch) => total + value(launch), 0);
  const totalNs = sum(launches, ({ durationNs }) => durationNs);
  const times = [...Map.groupBy(launches, ({ kernel }) => kernel)].map(([kernel, own]): KernelTime => {
    const ns = sum(own, ({ durationNs }) => durationNs);
    // A number of 1e9 a second is a number a nanosecond.
    const boundNs = sum(
      own,
      ({ operations, bytes }) => Math.max(operations / roofline.multiplyAddGflops, bytes / roofline.readGBs),
    );
    return {
      kernel,
      launches: own.length,
      ms: ns / 1e6,
      share: ns / totalNs,
      gflops: sum(own, ({ operations }) => operations) / ns,
      gbs: sum(own, ({ bytes }) => bytes) / ns,
      ofRoofline: boundNs / ns,
    };
  });
  return times.sort((a, b) => b.ms - a.ms);
}

/** Lays kernel times out as a table. */
export function profileTable(times: readonly KernelTime[]): Table {
  const right = (header: string) => ({ header, align: "right" as const });
  return {
    columns: [
      { header: "kernel" },
      right("launches"),
      right("ms"),
      right("share"),
      right("GFLOP/s"),
      right("GB/s"),
      right("of roofline"),
    ],
    rows: times.map(({ kernel, launches, ms, share, gflops, gbs, ofRoofline }) => [
      kernel,
      String(launches),
      ms.toFixed(2),
      `${(100 * share).toFixed(1)} %`,
      gflops === 0 ? "-" : gflops.toFixed(1),
      gbs.toFixed(2),
      `${(100 * ofRoofline).toFixed(0)} %`,
    ]),
  };
}

/**
 * Writes launches in the trace event format that Chrome's tracing page and Perfetto open.
 *
 * @returns JSON text; times are microseconds since the first launch.
 */
export function chromeTrace(launches: readonly LaunchTime[]): string {
  const first = launches.reduce((least, { startNs }) => Math.min(least, startNs), Infinity);
  const traceEvents = launches.map(({ kernel, variant, startNs, durationNs, bytes, operations }) => ({
    name: kernel,
    cat: "gpu",
    ph: "X",
    ts: (startNs - first) / 1000,
    dur: durationNs / 1000,
    pid: 1,
    tid: 1,
    args: { variant, bytes, operations },
  }));
  return `${JSON.stringify({ displayTimeUnit: "ms", traceEvents })}\n`;
}
