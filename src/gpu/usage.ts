/** What `gpu.memory()` returns; all in bytes. */
export interface GpuMemory {
  /** Held by tensors that were not disposed. */
  live: number;
  /** Given back and kept for reuse. */
  pooled: number;
  /** Largest `live` so far. */
  peak: number;
  /** Live bytes by tensor label, largest first. */
  owners: Record<string, number>;
}

/** What `gpu.stats()` returns, counted since the device was opened. */
export interface GpuStats {
  /** Command buffers handed to the queue. */
  submits: number;
  /** Kernel launches. */
  dispatches: number;
  /** Waits for data from the GPU. */
  reads: number;
  /** Compiled kernel variants. */
  pipelines: number;
}
