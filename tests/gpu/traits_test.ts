import { assert, assertEquals, assertRejects } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { measureTraits } from "../../src/gpu/trait_probe.ts";
import {
  chooseSharing,
  type DeviceTraits,
  FORCED_VARIANTS,
  possibleVariants,
  runsSideBySide,
} from "../../src/gpu/traits.ts";

const gpu = await Gpu.open();

/** The way that traits decide for, with subgroups of 8 lanes. */
function wayOf(threadCost: number | null, broadcastCost: number | null, lanes: number | null = 8): string {
  return chooseSharing({ threadCost, broadcastCost }, lanes, null).way;
}

Deno.test("chooseSharing() takes workgroup memory where many threads cost little more than few", () => {
  assertEquals([1, 3, 5.9].map((cost) => wayOf(cost, 0.1)), ["memory", "memory", "memory"]);
  assertEquals([1, 3].map((cost) => wayOf(cost, null, 32)), ["memory", "memory"]);
});

Deno.test("chooseSharing() broadcasts between 8 lanes where threads are serial and a broadcast is decisively cheap", () => {
  assertEquals([wayOf(6, 0.4), wayOf(32, 0.69)], ["broadcast", "broadcast"]);
  assertEquals([wayOf(32, 0.7), wayOf(32, 1.4), wayOf(32, null)], ["none", "none", "none"]);
  assertEquals([wayOf(32, 0.4, 32), wayOf(32, 0.4, null)], ["none", "none"]);
});

Deno.test("chooseSharing() needs neither barriers nor subgroups where nothing was measured", () => {
  assertEquals(wayOf(null, null), "none");
  assertEquals(wayOf(null, 0.1), "none");
});

Deno.test("chooseSharing() takes what was asked for, whatever was measured", () => {
  const traits: DeviceTraits = { threadCost: 20, broadcastCost: 0.4 };
  const ways = FORCED_VARIANTS.map((variant) => chooseSharing(traits, 8, variant));
  assertEquals(ways.map(({ way }) => way), ["broadcast", "none", "memory", "none"]);
  assert(ways.every(({ reason }) => reason === "asked for"));
});

Deno.test("chooseSharing() gives the measured numbers as its reason", () => {
  const reason = (lanes: number | null, threadCost: number | null, broadcastCost: number | null): string =>
    chooseSharing({ threadCost, broadcastCost }, lanes, null).reason;
  assertEquals(
    reason(32, 1.25, null),
    "256 threads take 1.3 times as long as 8, so many of them share operands through workgroup memory",
  );
  const serial = "256 threads take 20.0 times as long as 8, so barriers gain nothing";
  assertEquals(reason(8, 20, 0.4), `${serial}, but a broadcast takes 0.40 of a load`);
  assertEquals(reason(8, 20, 0.9), `${serial}, and a broadcast takes 0.90 of a load`);
  assertEquals(reason(16, 20, null), `${serial}, and subgroups have 16 lanes`);
  assertEquals(reason(null, 20, null), `${serial}, and subgroups are not proved`);
  assertEquals(
    reason(8, null, null),
    "nothing was measured, as the device gives no timestamps; --variant can force another",
  );
});

Deno.test("possibleVariants() leaves out what needs subgroups of 8 lanes", () => {
  assertEquals(possibleVariants(8), ["subgroup", "register", "tile", "naive"]);
  for (const lanes of [4, 16, 32, null]) assertEquals(possibleVariants(lanes), ["register", "tile", "naive"]);
});

Deno.test("measureTraits() decides alike every time", { ignore: !gpu.features.has("timestamps") }, async () => {
  const ways = new Set<string>();
  for (let run = 0; run < 8; run++) {
    const traits = await measureTraits(gpu.device, gpu.subgroupSize);
    assert(traits.threadCost! > 0);
    assertEquals(traits.broadcastCost === null, gpu.subgroupSize !== 8);
    ways.add(chooseSharing(traits, gpu.subgroupSize, null).way);
  }
  assertEquals([...ways], [gpu.sharing.way]);
});

Deno.test("measureTraits() takes 0.1 s at most once its shaders are compiled", {
  ignore: !gpu.features.has("timestamps"),
}, async () => {
  let best = Infinity;
  for (let run = 0; run < 5; run++) {
    const begin = performance.now();
    await measureTraits(gpu.device, gpu.subgroupSize);
    best = Math.min(best, performance.now() - begin);
  }
  assert(best < 100, `${best} ms`);
});

Deno.test("Gpu.open() measures once a process, takes injected traits, and measures nothing without timestamps", async () => {
  using again = await Gpu.open();
  assertEquals(again.traits, gpu.traits);
  const traits: DeviceTraits = { threadCost: 1.5, broadcastCost: null };
  using injected = await Gpu.open({ traits });
  assertEquals([injected.traits, injected.sharing.way, runsSideBySide(traits)], [traits, "memory", true]);
  using silent = await Gpu.open({ without: ["timestamps"] });
  assertEquals([silent.traits, silent.sharing.way], [{ threadCost: null, broadcastCost: null }, "none"]);
});

Deno.test("Gpu.open() refuses a variant that the device cannot run, with those that it can", async () => {
  const { message } = await assertRejects(
    () => Gpu.open({ variant: "subgroup", without: ["subgroups"] }),
    TypeError,
  );
  assertEquals(
    message,
    `Cannot run variant "subgroup" on ${gpu.adapterName}: it needs subgroups of 8 lanes, got none proved. ` +
      "Use register, tile, naive",
  );
});

Deno.test("measuring traits leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
