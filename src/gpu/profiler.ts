/** One kernel launch as the device timed it. */
export interface LaunchTime {
  /** Kernel: `rms_norm`. */
  readonly kernel: string;
  /** Kernel with its constants, as in errors. */
  readonly variant: string;
  /** Start in nanoseconds; only differences mean anything. */
  readonly startNs: number;
  /** Duration in nanoseconds. */
  readonly durationNs: number;
  /** Bytes of the tensors that it binds, each once: what it reads and writes at least. */
  readonly bytes: number;
  /** Floating-point operations, where the wrapper counts them, else 0: the launch is then bound by memory. */
  readonly operations: number;
}

/** What is known of a launch before it runs. */
export type LaunchRecord = Omit<LaunchTime, "startNs" | "durationNs">;

/** Launches of one submit; a query set holds at most 4096 timestamps, two a launch. */
const LAUNCHES = 2048;

const BYTES_A_TIMESTAMP = 8;

/**
 * Times every launch by the device's own clock: a pass with two timestamps around each, resolved at each submit.
 *
 * Passes of one launch cost about 15 us each on Deno, so a profile shows shares of time, not the time of a step.
 */
export class Profiler implements Disposable {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #steps: { launches: LaunchRecord[]; staging: GPUBuffer }[] = [];
  #launches: LaunchRecord[] = [];

  /** Makes a profiler; the device must have been granted `timestamp-query`. */
  constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ label: "profile", type: "timestamp", count: 2 * LAUNCHES });
    const size = 2 * LAUNCHES * BYTES_A_TIMESTAMP;
    this.#resolved = device.createBuffer({ label: "profile", size, usage: 0x200 | 0x4 });
  }

  /** Whether the next launch needs a submit first. */
  get full(): boolean {
    return this.#launches.length === LAUNCHES;
  }

  /** Where the timestamps of a launch go, for the pass that runs it alone. */
  time(launch: LaunchRecord): GPUComputePassTimestampWrites {
    const first = 2 * this.#launches.push(launch) - 2;
    return { querySet: this.#queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Records, at the end of a step, that its timestamps are kept. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.#launches.length === 0) return;
    const size = 2 * this.#launches.length * BYTES_A_TIMESTAMP;
    const staging = this.#device.createBuffer({ label: "profile read-back", size, usage: 0x1 | 0x8 });
    encoder.resolveQuerySet(this.#queries, 0, 2 * this.#launches.length, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    this.#steps.push({ launches: this.#launches, staging });
    this.#launches = [];
  }

  /** Waits for every step and returns its launches in order. */
  async read(): Promise<LaunchTime[]> {
    const times: LaunchTime[] = [];
    for (const { launches, staging } of this.#steps) {
      await staging.mapAsync(0x1);
      const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
      staging.unmap();
      launches.forEach((launch, i) => {
        const startNs = Number(stamps[2 * i]!);
        times.push({ ...launch, startNs, durationNs: Number(stamps[2 * i + 1]!) - startNs });
      });
    }
    return times;
  }

  /** Destroys queries and buffers. */
  [Symbol.dispose](): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    for (const { staging } of this.#steps) staging.destroy();
  }
}
