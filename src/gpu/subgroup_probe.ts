import type { OpenedDevice } from "./adapter.ts";

/** Every lane writes its index inside the subgroup, the subgroup's size, a sum and a broadcast value. */
const PROBE = `
@group(0) @binding(0) var<storage, read_write> found: array<vec4u>;
override WG: u32 = 64u;
@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) index: u32, @builtin(subgroup_size) size: u32,
        @builtin(subgroup_invocation_id) lane: u32) {
  let sum = subgroupAdd(f32(index));
  let third = subgroupBroadcast(f32(index), 3u);
  found[index] = vec4u(lane, size, u32(sum), u32(third));
}`;

/**
 * Proves by running it that subgroup kernels may rely on: one subgroup size, lane = `local_invocation_index % size`
 * (WGSL does not promise it), and `subgroupAdd` and `subgroupBroadcast` that work.
 *
 * @returns The subgroup size, or null where any of it does not hold.
 */
export async function provenSubgroupSize(opened: OpenedDevice): Promise<number | null> {
  const { device, subgroupSizes: [min, max] } = opened;
  if (min !== max || min < 4) return null;
  const count = 64;
  device.pushErrorScope("validation");
  const pipeline = device.createComputePipeline({
    label: "subgroup probe",
    layout: "auto",
    compute: { module: device.createShaderModule({ label: "subgroup probe", code: PROBE }), constants: { WG: count } },
  });
  if (await device.popErrorScope()) return null;
  const out = device.createBuffer({ label: "subgroup probe", size: count * 16, usage: 0x80 | 0x4 });
  const staging = device.createBuffer({ label: "subgroup probe", size: count * 16, usage: 0x1 | 0x8 });
  try {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: out } }],
      }),
    );
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(out, 0, staging, 0, count * 16);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(0x1);
    const found = new Uint32Array(staging.getMappedRange().slice(0));
    staging.unmap();
    for (let i = 0; i < count; i++) {
      const first = i - i % min;
      const sum = min * first + min * (min - 1) / 2;
      const [lane, size, total, third] = found.subarray(4 * i, 4 * i + 4);
      if (lane !== i % min || size !== min || total !== sum || third !== first + 3) return null;
    }
    return min;
  } finally {
    out.destroy();
    staging.destroy();
  }
}
