import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Diagnosis, LIMITS } from "../../src/evaluation/doctor/doctor.ts";
import { Gpu } from "../../src/gpu/gpu.ts";

const ROOT = new URL("../../", import.meta.url);

async function doctor(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/doctor.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("doctor --json prints one diagnosis that agrees with the device", async () => {
  const { code, out, err } = await doctor("--json");
  assertEquals(code, 0, err);
  const found = JSON.parse(out) as Diagnosis;
  using gpu = await Gpu.open();
  const { name, isCpu, subgroupSize } = found.adapter;
  assertEquals([name, isCpu, subgroupSize], [gpu.adapterName, gpu.isCpu, gpu.subgroupSize]);
  assertEquals(found.limits, Object.fromEntries(LIMITS.map((limit) => [limit, gpu.limits[limit]])));
  for (const { name, granted, works } of found.features) {
    if (name === "df64" || name === "df64 with barrier") assertEquals(granted, true);
    else assertEquals(granted, gpu.features.has(name), name);
    assertEquals(works === null, !granted, `${name} is run exactly where it is granted`);
  }
  const subgroups = found.features.find(({ name }) => name === "subgroups")!;
  assertEquals(subgroups.works === true, gpu.subgroupSize !== null);
  const { roofline, costs } = found;
  for (const value of [...Object.values(roofline), costs.readBackMs]) assert(Number.isFinite(value) && value > 0);
  // Slopes may come out as zero on a busy machine, never below.
  for (const value of [costs.dispatchUs, costs.submitUs]) assert(Number.isFinite(value) && value >= 0);
  const { firstUse, sharing, traits } = found;
  assert(firstUse.kernels >= 20 && firstUse.compileMs > 0 && firstUse.slowest.length === 5);
  assertEquals(sharing.way, gpu.sharing.way);
  assertEquals(traits.threadCost === null, gpu.traits.threadCost === null);
  assertEquals(gpu.memory().live, 0);
  assert(found.variants.every(({ variant, reason }) => variant !== "" && reason !== ""));
});

Deno.test("doctor --variant tile shows the kernels that were asked for", async () => {
  const { code, out, err } = await doctor("--json", "--variant", "tile");
  assertEquals(code, 0, err);
  const { sharing, variants } = JSON.parse(out) as Diagnosis;
  assertEquals(sharing, { way: "memory", reason: "asked for" });
  const products = variants.filter(({ operation }) => operation !== "attention" && !operation.startsWith("norms"));
  assertEquals(new Set(products.map(({ variant }) => variant)), new Set(["tile"]));
});

Deno.test("doctor --help shows an example, and an unknown flag is a wrong call", async () => {
  const help = await doctor("--help");
  assertEquals(help.code, 0);
  assertStringIncludes(help.out, "deno task doctor --json");
  const wrong = await doctor("--nothing");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.err, "unknown option '--nothing'");
});
