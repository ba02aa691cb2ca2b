import type { OpenedDevice } from "./adapter.ts";
import { BROADCAST_LANES, type DeviceTraits } from "./traits.ts";

/** Steps that depend on each other, so that a thread is bound by their latency: what other threads run beside is free. */
const CHAIN = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
override WG: u32 = 8u;
@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) index: u32) {
  let factor = x[0].x;
  let summand = x[0].y;
  var value = f32(index);
  for (var round = 0u; round < 1024u; round++) {
${"    value = value * factor + summand;\n".repeat(16)}  }
  y[index] = value;
}`;

/** The inner loop of an outer product of 8 x 4: the other lanes' values arrive by load or by broadcast. */
function exchange(fetch: (lane: number) => string): string {
  const lanes = Array.from({ length: BROADCAST_LANES }, (_, lane) => lane);
  return `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
override WG: u32 = ${BROADCAST_LANES}u;
@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) index: u32) {
  var sums: array<vec4f, ${BROADCAST_LANES}>;
  for (var round = 0u; round < 1024u; round++) {
    let first = (round * ${BROADCAST_LANES}u) & 127u;
    let mine = x[first + index];
${lanes.map((lane) => `    sums[${lane}] += mine * ${fetch(lane)};`).join("\n")}
  }
  y[index] = dot(${lanes.map((lane) => `sums[${lane}]`).join(" + ")}, vec4f(1.0));
}`;
}

/** Vectors that the probes read, and threads of the largest workgroup: what WebGPU guarantees at least. */
const QUADS = 128;
const MANY_THREADS = 256;
const FEW_THREADS = 8;

/** Times that each probe runs, in turns; the shortest counts, as other work on the machine only adds. */
const RUNS = 7;

const BYTES_A_TIMESTAMP = 8;

/** Traits found in this process: another device of the same kind is not measured again, so kernels stay the same. */
const found = new Map<string, Promise<DeviceTraits>>();

/**
 * Measures what decides between kernel variants, by the device's own clock: one submit and one wait, about 30 ms on a CPU
 * driver and less on a GPU once the four shaders are compiled. Each device is measured once a process.
 *
 * @param subgroupSize Lanes of proved subgroups, or null.
 * @returns The traits; null where the device gives no timestamps or has no subgroups of 8 lanes.
 */
export async function deviceTraits(opened: OpenedDevice, subgroupSize: number | null): Promise<DeviceTraits> {
  if (!opened.features.has("timestamps")) return { threadCost: null, broadcastCost: null };
  const key = `${opened.identity} ${subgroupSize}`;
  let traits = found.get(key);
  if (!traits) found.set(key, traits = measureTraits(opened.device, subgroupSize));
  return await traits;
}

/** Measures the traits of a device that grants timestamps, whatever was found before; null where a probe fails. */
export async function measureTraits(device: GPUDevice, subgroupSize: number | null): Promise<DeviceTraits> {
  const probes: [code: string, threads: number][] = [[CHAIN, FEW_THREADS], [CHAIN, MANY_THREADS]];
  if (subgroupSize === BROADCAST_LANES) {
    probes.push([exchange((lane) => `x[first + ${lane}u]`), BROADCAST_LANES]);
    probes.push([exchange((lane) => `subgroupBroadcast(mine, ${lane}u)`), BROADCAST_LANES]);
  }
  device.pushErrorScope("validation");
  const [few, many, load, broadcast] = await shortestTimes(device, probes);
  if (await device.popErrorScope()) return { threadCost: null, broadcastCost: null };
  const ratio = (above?: number, below?: number): number | null => above && below ? above / below : null;
  return { threadCost: ratio(many, few), broadcastCost: ratio(broadcast, load) };
}

/** Runs one workgroup of each shader in turns and returns the shortest time of each, in nanoseconds. */
async function shortestTimes(
  device: GPUDevice,
  probes: readonly (readonly [code: string, threads: number])[],
): Promise<number[]> {
  const label = "trait probe";
  const launches = RUNS * probes.length;
  const bytes = 2 * launches * BYTES_A_TIMESTAMP;
  const x = device.createBuffer({ label, size: 16 * QUADS, usage: 0x80 | 0x8 });
  const y = device.createBuffer({ label, size: 4 * MANY_THREADS, usage: 0x80 });
  const resolved = device.createBuffer({ label, size: bytes, usage: 0x200 | 0x4 });
  const staging = device.createBuffer({ label, size: bytes, usage: 0x1 | 0x8 });
  const queries = device.createQuerySet({ label, type: "timestamp", count: 2 * launches });
  try {
    // Factor 0.5 and summand 1 keep the chains near 2, so that no number is slow for being subnormal.
    device.queue.writeBuffer(x, 0, Float32Array.from({ length: 4 * QUADS }, (_, i) => i % 2 === 0 ? 0.5 : 1));
    const pipelines = probes.map(([code, WG]) =>
      device.createComputePipeline({
        label,
        layout: "auto",
        compute: { module: device.createShaderModule({ label, code }), constants: { WG } },
      })
    );
    const encoder = device.createCommandEncoder({ label });
    for (let launch = 0; launch < launches; launch++) {
      const pipeline = pipelines[launch % pipelines.length]!;
      const timestampWrites = {
        querySet: queries,
        beginningOfPassWriteIndex: 2 * launch,
        endOfPassWriteIndex: 2 * launch + 1,
      };
      const pass = encoder.beginComputePass({ label, timestampWrites });
      pass.setPipeline(pipeline);
      const entries = [x, y].map((buffer, binding) => ({ binding, resource: { buffer } }));
      pass.setBindGroup(0, device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(1);
      pass.end();
    }
    encoder.resolveQuerySet(queries, 0, 2 * launches, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(0x1);
    const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    const shortest = new Array<number>(probes.length).fill(Infinity);
    for (let launch = 0; launch < launches; launch++) {
      const time = Number(stamps[2 * launch + 1]! - stamps[2 * launch]!);
      const probe = launch % probes.length;
      shortest[probe] = Math.min(shortest[probe]!, time);
    }
    return shortest;
  } finally {
    queries.destroy();
    for (const buffer of [x, y, resolved, staging]) buffer.destroy();
  }
}
