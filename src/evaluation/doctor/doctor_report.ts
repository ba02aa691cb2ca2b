/**
 * A diagnosis as tables for a terminal.
 *
 * @module
 */
import { formatBytes } from "../../display/bytes.ts";
import { type Cell, type Table, terminalTable } from "../../display/table.ts";
import type { Sharing } from "../../gpu/traits.ts";
import type { Diagnosis, LimitName } from "./doctor.ts";
import type { FeatureProof } from "./features.ts";

const LIMIT_MEANING: Record<LimitName, string> = {
  maxBufferSize: "largest buffer",
  maxStorageBufferBindingSize: "largest tensor",
  maxStorageBuffersPerShaderStage: "tensors a kernel",
  maxComputeWorkgroupStorageSize: "memory of a workgroup",
  maxComputeInvocationsPerWorkgroup: "threads of a workgroup",
  maxComputeWorkgroupsPerDimension: "workgroups in one dimension; more are folded",
  minStorageBufferOffsetAlignment: "alignment of a binding",
};

const SHARING: Record<Sharing, string> = {
  memory: "through workgroup memory",
  broadcast: "by broadcast from lane to lane",
  none: "not: each thread loads for itself",
};

function adapterTable({ adapter, runtime, sharing }: Diagnosis): Table {
  const { subgroupSize, availableBytes } = adapter;
  return {
    caption: "Adapter",
    columns: [{ header: "what" }, { header: "found", maxWidth: 150 }],
    rows: [
      ["name", adapter.name],
      ["kind", adapter.isCpu ? "CPU driver: everything works, at a CPU's speed" : "GPU"],
      ["subgroup", subgroupSize === null ? "not used" : `${subgroupSize} lanes`],
      ["kernels share operands", `${SHARING[sharing.way]}: ${sharing.reason}`],
      ["memory for tensors", availableBytes === null ? "no limit but the device's" : formatBytes(availableBytes)],
      ["runtime", `Deno ${runtime.deno}, ${runtime.system}, ${runtime.cores} cores`],
    ],
  };
}

function limitsTable({ limits }: Diagnosis): Table {
  const isBytes = (name: LimitName): boolean => /Size$|Alignment$/.test(name);
  return {
    caption: "Limits",
    columns: [{ header: "limit" }, { header: "value", align: "right" }, { header: "meaning" }],
    rows: (Object.keys(LIMIT_MEANING) as LimitName[]).map((name) => [
      name,
      isBytes(name) ? formatBytes(limits[name]) : String(limits[name]),
      LIMIT_MEANING[name],
    ]),
  };
}

function verdict({ granted, works, name }: FeatureProof): Cell {
  if (!granted || works === null) return { text: "absent", tone: "muted" };
  if (works) return { text: "works", tone: "good" };
  // Compilers may simplify these error terms away, which is why the barrier exists.
  return { text: "wrong", tone: name === "df64" ? "muted" : "bad" };
}

function featuresTable({ features }: Diagnosis): Table {
  return {
    caption: "Features, proved by running them",
    columns: [{ header: "feature" }, { header: "result" }, { header: "evidence", maxWidth: 90 }, { header: "use" }],
    rows: features.map((proof) => [proof.name, verdict(proof), proof.evidence, proof.use]),
  };
}

function speedTable({ roofline, costs }: Diagnosis): Table {
  const row = (what: string, value: number, unit: string): Cell[] => [what, value.toPrecision(3), unit];
  return {
    caption: "Peaks and costs",
    columns: [{ header: "what" }, { header: "value", align: "right" }, { header: "unit" }],
    rows: [
      row("multiply-add, independent chains", roofline.multiplyAddGflops, "GFLOP/s"),
      row("read", roofline.readGBs, "GB/s"),
      row("copy (as much is written)", roofline.copyGBs, "GB/s read"),
      row("one more kernel in a submit", costs.dispatchUs, "us"),
      row("one more submit", costs.submitUs, "us"),
      row("reading 4 bytes back", costs.readBackMs, "ms"),
    ],
  };
}

function variantsTable({ variants }: Diagnosis): Table {
  return {
    caption: "Kernel variants that run here",
    columns: [{ header: "operation" }, { header: "size" }, { header: "variant" }, { header: "why", maxWidth: 120 }],
    rows: variants.map(({ operation, size, variant, reason }) => [operation, size, variant, reason]),
  };
}

function firstUseTable({ firstUse }: Diagnosis): Table {
  const { kernels, totalMs, compileMs, slowest } = firstUse;
  const row = (what: string, ms: number): Cell[] => [what, ms.toFixed(0)];
  return {
    caption: `First use of ${kernels} kernels, cold in this process; the driver's cache on disk may have helped`,
    columns: [{ header: "what", maxWidth: 110 }, { header: "ms", align: "right" }],
    rows: [
      row("first run of all, beyond the second", totalMs),
      row("of it: shaders translated and handed to the driver", compileMs),
      ...slowest.map(({ key, ms }) => row(key, ms)),
    ],
  };
}

/** The tables of a diagnosis, in reading order. */
export function doctorTables(diagnosis: Diagnosis): Table[] {
  return [adapterTable, limitsTable, featuresTable, speedTable, firstUseTable, variantsTable].map((table) =>
    table(diagnosis)
  );
}

/** A diagnosis as text for a terminal. */
export function doctorText(diagnosis: Diagnosis): string {
  return doctorTables(diagnosis).map((table) => terminalTable(table)).join("\n\n");
}
