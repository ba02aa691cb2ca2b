import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeviceLostError, GpuError, GpuMemoryError, NoAdapterError } from "../../src/gpu/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";

Deno.test("NoAdapterError names the remedy of each system, and Linux's where the system is unknown", () => {
  const start = "Cannot open a GPU: found no WebGPU adapter, wanted one. ";
  for (
    const [os, remedy] of [
      ["linux", "sudo apt-get install libvulkan1 mesa-vulkan-drivers"],
      ["darwin", "macOS brings Metal"],
      ["windows", "Windows brings Direct3D 12"],
      ["freebsd", "sudo apt-get install libvulkan1 mesa-vulkan-drivers"],
    ]
  ) {
    const { message } = new NoAdapterError(os);
    assert(message.startsWith(start));
    assertStringIncludes(message, remedy);
  }
});

Deno.test("GpuError and its kinds carry their name, kernel, label and cause", () => {
  const cause = new Error("below");
  const error = new GpuError("Cannot", { kernel: "softmax", label: "step", cause });
  assertEquals([error.name, error.kernel, error.label, error.cause], ["GpuError", "softmax", "step", cause]);
  assertEquals("cause" in new GpuError("Cannot"), false);
  for (const Kind of [DeviceLostError, GpuMemoryError]) {
    const kind = new Kind("Cannot");
    assertEquals([kind instanceof GpuError, kind.name], [true, Kind.name]);
  }
});

/** Opens a device where `adapter` is what the system has. */
async function openOn(adapter: GPUAdapter | null): Promise<Gpu> {
  const { gpu } = navigator;
  const original = gpu.requestAdapter;
  Object.defineProperty(gpu, "requestAdapter", { value: () => Promise.resolve(adapter), configurable: true });
  try {
    return await Gpu.open();
  } finally {
    Object.defineProperty(gpu, "requestAdapter", { value: original, configurable: true });
  }
}

Deno.test("Gpu.open() without an adapter rejects with NoAdapterError", async () => {
  await assertRejects(() => openOn(null), NoAdapterError, "found no WebGPU adapter");
  using opened = await Gpu.open();
  assertEquals([opened.lost, opened.memory().live], [false, 0]);
});

Deno.test("Gpu.open() refuses an adapter that binds fewer buffers than a kernel has", async () => {
  const small = { info: { description: "small one" }, limits: { maxStorageBuffersPerShaderStage: 8 } };
  await assertRejects(
    () => openOn(small as unknown as GPUAdapter),
    GpuError,
    "Cannot use small one: a kernel binds 8 buffers there, wanted 10. Update its driver, or use another GPU or Mesa's " +
      "CPU driver",
  );
});
