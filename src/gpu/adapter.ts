import { GpuError, NoAdapterError } from "./errors.ts";
import { MAX_BUFFERS } from "./kernel.ts";
import type { GpuFeature } from "./options.ts";

/** An opened device with what was found about its adapter. */
export interface OpenedDevice {
  /** The device. */
  device: GPUDevice;
  /** Name given by the driver. */
  name: string;
  /** All that the driver tells about the adapter: the same for the same hardware and driver. */
  identity: string;
  /** Whether it is a CPU driver. */
  isCpu: boolean;
  /** Smallest and largest subgroup the adapter reports; 0 where it does not say. */
  subgroupSizes: [number, number];
  /** Features the device was granted. */
  features: ReadonlySet<GpuFeature>;
}

const FEATURES: Record<GpuFeature, string> = {
  f16: "shader-f16",
  timestamps: "timestamp-query",
  subgroups: "subgroups",
  f64: "shader-f64",
  u64: "wgpu-shader-int64",
};

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupsPerDimension",
] as const;

/**
 * Opens a device with the adapter's own limits and every optional feature that it grants.
 *
 * `adapter.features` hides some features that can be requested all the same, so each is tried.
 *
 * @throws {NoAdapterError} If no adapter is found.
 * @throws {GpuError} If the adapter binds fewer buffers than some kernel has.
 */
export async function openDevice(without: readonly GpuFeature[]): Promise<OpenedDevice> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new NoAdapterError();
  const { info, limits } = adapter;
  const name = info.description || info.device || "unknown adapter";
  const buffers = limits.maxStorageBuffersPerShaderStage;
  if (buffers < MAX_BUFFERS) {
    throw new GpuError(
      `Cannot use ${name}: a kernel binds ${buffers} buffers there, wanted ${MAX_BUFFERS}. Update its driver, or use ` +
        "another GPU or Mesa's CPU driver",
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const limit of LIMITS) requiredLimits[limit] = limits[limit];
  const wanted = (Object.keys(FEATURES) as GpuFeature[]).filter((f) => !without.includes(f));
  const request = (features: GpuFeature[]): Promise<GPUDevice> =>
    adapter.requestDevice({
      label: "ace-webgpu",
      requiredLimits,
      requiredFeatures: features.map((f) => FEATURES[f] as GPUFeatureName),
    });
  let granted = wanted;
  let device = await request(wanted).catch(() => null);
  if (!device) {
    granted = [];
    for (const feature of wanted) {
      const trial = await request([feature]).catch(() => null);
      if (trial) granted.push(feature);
      trial?.destroy();
    }
    device = await request(granted);
  }
  return {
    device,
    name,
    identity: [info.vendor, info.architecture, info.device, info.description].join(" "),
    isCpu: info.isFallbackAdapter === true,
    subgroupSizes: [info.subgroupMinSize ?? 0, info.subgroupMaxSize ?? 0],
    features: new Set(granted),
  };
}
