import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Diagnosis } from "../../src/evaluation/doctor/doctor.ts";
import { doctorTables, doctorText } from "../../src/evaluation/doctor/doctor_report.ts";
import { proveDf64, proveF16, proveF64, proveSubgroups, proveU64 } from "../../src/evaluation/doctor/features.ts";
import { measureFirstUse } from "../../src/evaluation/doctor/first_use.ts";
import { batchTime, bestMs } from "../../src/evaluation/doctor/timing.ts";
import { explainVariants } from "../../src/evaluation/doctor/variants.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { cellText } from "../../src/display/table.ts";
import { Gpu } from "../../src/gpu/gpu.ts";

const gpu = await Gpu.open();

const DIAGNOSIS: Diagnosis = {
  adapter: { name: "card 1", isCpu: false, subgroupSize: 32, availableBytes: null },
  runtime: { deno: "2.9.6", system: "linux x86_64", cores: 2 },
  limits: {
    maxBufferSize: 2 ** 31,
    maxStorageBufferBindingSize: 2 ** 27,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupsPerDimension: 65535,
    minStorageBufferOffsetAlignment: 256,
  },
  features: [
    { name: "f16", granted: true, works: true, evidence: "44 of 44", use: "none" },
    { name: "subgroups", granted: true, works: false, evidence: "sizes 8, 16 in one workgroup", use: "matmul" },
    { name: "f64", granted: false, works: null, evidence: "the device does not grant it", use: "none" },
    { name: "df64", granted: true, works: false, evidence: "0 of 4096", use: "none" },
  ],
  roofline: { multiplyAddGflops: 161.23, readGBs: 9.5, copyGBs: 6.3 },
  costs: { dispatchUs: 24.12, submitUs: 145, readBackMs: 11.7 },
  firstUse: { kernels: 24, totalMs: 987.6, compileMs: 765.4, slowest: [{ key: "matmul_tile(B_TYPE=2)", ms: 123.4 }] },
  traits: { threadCost: 1.5, broadcastCost: null },
  sharing: { way: "memory", reason: "many threads are free" },
  variants: [{ operation: "linear layer", size: "1 x 2 x 3 nt", variant: "matvec", reason: "few rows" }],
};

Deno.test("doctorTables() judges features by what running them showed", () => {
  const features = doctorTables(DIAGNOSIS).find(({ caption }) => caption?.startsWith("Features"))!;
  assertEquals(features.rows.map((row) => cellText(row[1]!)), ["works", "wrong", "absent", "wrong"]);
  // Without the barrier an error is expected, so only the subgroups are marked as bad.
  assertEquals(features.rows.map((row) => typeof row[1] === "string" ? "" : row[1]!.tone), [
    "good",
    "bad",
    "muted",
    "muted",
  ]);
});

Deno.test("doctorText() shows adapter, limits with units, peaks, costs and variants", () => {
  const text = doctorText(DIAGNOSIS);
  for (
    const part of [
      "card 1",
      "32 lanes",
      "128 MiB",
      "161",
      "24.1",
      "11.7",
      "matvec",
      "few rows",
      "many threads are free",
    ]
  ) {
    assertStringIncludes(text, part);
  }
});

Deno.test("doctorText() tells what first use costs, the slowest kernels, and that a cache on disk may have helped", () => {
  const text = doctorText(DIAGNOSIS);
  for (
    const part of ["First use of 24 kernels, cold in this process", "cache on disk", "988", "765", "B_TYPE=2", "123"]
  ) {
    assertStringIncludes(text, part);
  }
});

Deno.test("measureFirstUse() names every kernel once, the slowest first", async () => {
  const { kernels, totalMs, compileMs, slowest } = await measureFirstUse();
  assert(kernels >= 20 && totalMs >= 0 && compileMs > 0);
  assertEquals(new Set(slowest.map(({ key }) => key)).size, 5);
  assertEquals(slowest.map(({ ms }) => ms), slowest.map(({ ms }) => ms).toSorted((a, b) => b - a));
  assert(slowest.reduce((sum, { ms }) => sum + ms, 0) <= compileMs);
});

Deno.test("the proofs of features agree with what the device was found to do", async () => {
  if (gpu.features.has("f16")) assertEquals((await proveF16(gpu)).works, true);
  if (gpu.features.has("f64")) assertEquals((await proveF64(gpu)).works, true);
  if (gpu.features.has("u64")) assertEquals((await proveU64(gpu)).works, true);
  if (gpu.features.has("subgroups")) assertEquals((await proveSubgroups(gpu)).works, gpu.subgroupSize !== null);
  assertEquals((await proveDf64(gpu, true)).works, true);
});

Deno.test("explainVariants() names the variant that a product records", () => {
  const choice = explainVariants(gpu).find(({ size }) => size === "60 x 576 x 1536 nt")!;
  using a = gpu.zeros([60, 576], "a");
  using b = gpu.zeros([1536, 576], "b");
  const ran: string[] = [];
  gpu.stream.observe((variant) => ran.push(variant), () => matmulNt(gpu.stream, { a, b }).dispose());
  gpu.stream.submit();
  assertEquals(ran.length, 1);
  assertStringIncludes(ran[0]!, choice.variant);
});

Deno.test("bestMs() times a call by batches, and batchTime() makes every call", async () => {
  using x = gpu.zeros([4], "x");
  let calls = 0;
  await batchTime(gpu, () => calls++, 300);
  assertEquals(calls, 300);
  const ms = await bestMs(gpu, () => gpu.stream.clear(x), { rounds: 1, batchMs: 15 });
  assert(Number.isFinite(ms) && ms > 0);
});

Deno.test("the doctor leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
