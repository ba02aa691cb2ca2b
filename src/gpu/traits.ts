/** What a short probe measured of a device; kernels choose their variants by it, never by the adapter's name or kind. */
export interface DeviceTraits {
  /**
   * Time of a workgroup of 256 threads over that of one of 8, every thread doing the same: near 1 where threads run side
   * by side, near 256 / lanes where one vector of lanes runs after the other. null: not measured.
   */
  readonly threadCost: number | null;
  /** Time to hand a value from lane to lane over that of loading it again. null: no proved subgroups, or not measured. */
  readonly broadcastCost: number | null;
}

/**
 * How threads get operands that several of them need: from workgroup memory, by broadcast from lane to lane, or each by
 * loads of its own.
 */
export type Sharing = "memory" | "broadcast" | "none";

/** A way to share operands, and why it is used. */
export interface SharingChoice {
  /** The way. */
  readonly way: Sharing;
  /** One clause for people. */
  readonly reason: string;
}

/** Families of kernel variants that can be asked for; each takes every size. */
export type ForcedVariant = "subgroup" | "register" | "tile" | "naive";

/** Names of {@linkcode ForcedVariant}. */
export const FORCED_VARIANTS: readonly ForcedVariant[] = ["subgroup", "register", "tile", "naive"];

/** Lanes for which the broadcasting kernels are written: WGSL wants the lane of a broadcast as a literal. */
export const BROADCAST_LANES = 8;

/**
 * Thread cost below which threads run side by side. An NVIDIA H200 measures 1.1, and a GPU with fewer cores should stay
 * below 3; vectors of 4 to 16 lanes that run one after the other take at least 16: on Mesa's CPU driver, 8 lanes, 16 to
 * 26.
 */
const SIDE_BY_SIDE = 6;

/** Broadcast cost below which broadcasting wins for certain; on Mesa's CPU driver it is 0.3 to 0.5. */
const CHEAP_BROADCAST = 0.7;

const FORCED: Readonly<Record<ForcedVariant, Sharing>> = {
  subgroup: "broadcast",
  tile: "memory",
  register: "none",
  naive: "none",
};

/** Whether the threads of a workgroup were measured to run side by side. */
export function runsSideBySide({ threadCost }: DeviceTraits): boolean {
  return threadCost !== null && threadCost < SIDE_BY_SIDE;
}

/** Variants that a device can be asked for. */
export function possibleVariants(subgroupSize: number | null): ForcedVariant[] {
  return FORCED_VARIANTS.filter((variant) => variant !== "subgroup" || subgroupSize === BROADCAST_LANES);
}

/**
 * The way to share operands that suits a device. Where nothing decisive was measured, each thread loads for itself: that
 * needs neither barriers nor subgroups.
 *
 * @param forced Variant asked for, if any.
 */
export function chooseSharing(
  traits: DeviceTraits,
  subgroupSize: number | null,
  forced: ForcedVariant | null,
): SharingChoice {
  if (forced !== null) return { way: FORCED[forced], reason: "asked for" };
  const { threadCost, broadcastCost } = traits;
  if (threadCost === null) {
    return {
      way: "none",
      reason: "nothing was measured, as the device gives no timestamps; --variant can force another",
    };
  }
  const threads = `256 threads take ${threadCost.toFixed(1)} times as long as 8`;
  if (runsSideBySide(traits)) {
    return { way: "memory", reason: `${threads}, so many of them share operands through workgroup memory` };
  }
  if (subgroupSize !== BROADCAST_LANES || broadcastCost === null) {
    const lanes = subgroupSize === null ? "subgroups are not proved" : `subgroups have ${subgroupSize} lanes`;
    return { way: "none", reason: `${threads}, so barriers gain nothing, and ${lanes}` };
  }
  const broadcast = `a broadcast takes ${broadcastCost.toFixed(2)} of a load`;
  return broadcastCost < CHEAP_BROADCAST
    ? { way: "broadcast", reason: `${threads}, so barriers gain nothing, but ${broadcast}` }
    : { way: "none", reason: `${threads}, so barriers gain nothing, and ${broadcast}` };
}
