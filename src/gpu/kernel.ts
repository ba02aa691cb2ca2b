/** How a kernel uses one of its buffers. */
export type Access = "read" | "write";

/** Type of one scalar in a kernel's parameter block. */
export type ParamType = "u32" | "i32" | "f32";

/** A compute kernel: shader text plus what the host must know to bind it. */
export interface Kernel {
  /** Operation, also the file name of the shader: `rms_norm`. */
  readonly name: string;
  /** WGSL with one entry point `main`. */
  readonly code: string;
  /** Buffers of bind group 0, in binding order, at most 10. "write" is `read_write` in WGSL. */
  readonly buffers: readonly Access[];
  /** Scalars of the uniform struct at `@group(1) @binding(0)`, in order, at most 16. */
  readonly params: Readonly<Record<string, ParamType>>;
}

/** Values of `override` constants; they select a variant of the kernel. */
export type Constants = Readonly<Record<string, number>>;

/** Most buffers of a kernel: WebGPU guarantees 8, so a device is opened only if it binds as many as these. */
export const MAX_BUFFERS = 10;

/**
 * Declares a kernel. Bind group 0 holds its buffers, bind group 1 the parameter block (if it has parameters).
 *
 * @throws {RangeError} If it has more than 16 parameters: they must fit a 64-byte slot of the arena. Or if
 * it has more buffers than {@linkcode MAX_BUFFERS}.
 */
export function defineKernel(kernel: Kernel): Kernel {
  const { name, buffers } = kernel;
  const count = Object.keys(kernel.params).length;
  if (count > 16) throw new RangeError(`Cannot define kernel "${name}": ${count} parameters, at most 16 fit`);
  if (buffers.length > MAX_BUFFERS) {
    throw new RangeError(
      `Cannot define kernel "${name}": ${buffers.length} buffers, devices are asked for ${MAX_BUFFERS}`,
    );
  }
  return Object.freeze(kernel);
}

/** Largest number of workgroups in one dimension of a dispatch that WebGPU guarantees. */
export const MAX_GROUPS = 65535;

/**
 * Spreads `count` workgroups over x and y where one dimension is not enough.
 *
 * In the shader: `let row = group.y * groups.x + group.x` with a guard `row >= rows`.
 *
 * @param limit Groups that fit one dimension; smaller in tests, to reach the second dimension cheaply.
 */
export function foldGroups(count: number, limit: number = MAX_GROUPS): [number, number, number] {
  if (count <= limit) return [count, 1, 1];
  const y = Math.ceil(count / limit);
  return [Math.ceil(count / y), y, 1];
}
