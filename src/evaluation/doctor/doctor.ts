/**
 * The doctor: what this machine's WebGPU is, what it was proved to do, and how fast it is at best.
 *
 * @module
 */
import { Gpu } from "../../gpu/gpu.ts";
import type { GpuOptions } from "../../gpu/options.ts";
import type { DeviceTraits, SharingChoice } from "../../gpu/traits.ts";
import { type Costs, measureCosts } from "./costs.ts";
import { type FeatureProof, proveFeatures } from "./features.ts";
import { type FirstUse, measureFirstUse } from "./first_use.ts";
import { measureRoofline, type Roofline } from "./roofline.ts";
import { explainVariants, type KernelChoice } from "./variants.ts";

/** Limits that decide what fits and how kernels are cut. */
export const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
  "minStorageBufferOffsetAlignment",
] as const;

/** Name of a limit that the doctor shows. */
export type LimitName = typeof LIMITS[number];

/** What the doctor found. */
export interface Diagnosis {
  /** The adapter. */
  adapter: {
    /** Name given by its driver. */
    name: string;
    /** Whether it is a CPU driver. */
    isCpu: boolean;
    /** Lanes of a subgroup where subgroup kernels may be used, else null. */
    subgroupSize: number | null;
    /** Bytes that tensors may take in all; null: no limit but the device's. */
    availableBytes: number | null;
  };
  /** What runs the project. */
  runtime: {
    /** Version of Deno. */
    deno: string;
    /** Operating system and processor. */
    system: string;
    /** Processor cores. */
    cores: number;
  };
  /** Limits of the device. */
  limits: Record<LimitName, number>;
  /** Features, proved by running them. */
  features: FeatureProof[];
  /** Peaks. */
  roofline: Roofline;
  /** Fixed costs. */
  costs: Costs;
  /** What compiling kernels costs at first use. */
  firstUse: FirstUse;
  /** What a short probe measured, by which variants are chosen. */
  traits: DeviceTraits;
  /** How kernels share operands here, and why. */
  sharing: SharingChoice;
  /** Kernel variants that will run, and why. */
  variants: KernelChoice[];
}

/** Options of {@linkcode diagnose}, besides how the GPU is opened. */
export interface DiagnoseOptions extends GpuOptions {
  /** Called with what is examined next. */
  onStage?: (stage: string) => void;
}

/**
 * Examines the machine; takes a few seconds.
 *
 * @throws {NoAdapterError} If there is no adapter; the message says what to install.
 * @throws {TypeError} If the variant asked for cannot run.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const { onStage = () => {}, ...gpuOptions } = options;
  using gpu = await Gpu.open(gpuOptions);
  onStage("features");
  const features = await proveFeatures();
  onStage("costs of launching and reading back");
  const costs = await measureCosts(gpu);
  onStage("arithmetic and bandwidth");
  const roofline = await measureRoofline(gpu, { rounds: 4, batchMs: 120 });
  onStage("first use of every kernel");
  const firstUse = await measureFirstUse(gpuOptions);
  const available = gpu.availableBytes;
  return {
    adapter: {
      name: gpu.adapterName,
      isCpu: gpu.isCpu,
      subgroupSize: gpu.subgroupSize,
      availableBytes: available > 2 ** 50 ? null : available,
    },
    runtime: {
      deno: Deno.version.deno,
      system: `${Deno.build.os} ${Deno.build.arch}`,
      cores: navigator.hardwareConcurrency,
    },
    limits: Object.fromEntries(LIMITS.map((name) => [name, gpu.limits[name]])) as Record<LimitName, number>,
    features,
    roofline,
    costs,
    firstUse,
    traits: gpu.traits,
    sharing: gpu.sharing,
    variants: explainVariants(gpu),
  };
}
