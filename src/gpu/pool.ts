import type { PooledBuffer } from "./tensor.ts";

const MIB = 1024 * 1024;
const USAGE = 0x80 | 0x4 | 0x8; // STORAGE | COPY_SRC | COPY_DST

/**
 * Buffers that were given back, kept for reuse by exact rounded size.
 *
 * Deno frees no dropped buffer in any useful time, so nothing is ever dropped: a buffer is in use, pending (given back
 * while dispatches that use it are not submitted yet), free, or destroyed. Free bytes are capped and the oldest go first.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxFreeBytes: number;
  readonly #maxBufferBytes: number;
  readonly #free = new Map<number, PooledBuffer[]>();
  #pending: PooledBuffer[] = [];
  #nextId = 1;
  #freeBytes = 0;
  /** Bytes in use. */
  liveBytes = 0;
  /** Largest `liveBytes` so far. */
  peakBytes = 0;
  /** Called when a buffer is destroyed, so that bind groups on it can go. */
  onDestroy: (id: number) => void = () => {};

  /** Makes an empty pool that keeps at most `maxFreeBytes` for reuse. */
  constructor(device: GPUDevice, maxFreeBytes: number = 512 * MIB) {
    this.#device = device;
    this.#maxFreeBytes = maxFreeBytes;
    this.#maxBufferBytes = Math.floor(device.limits.maxBufferSize / 256) * 256;
  }

  /** Bytes given back and kept for reuse. */
  get pooledBytes(): number {
    return this.#freeBytes + this.#pending.reduce((sum, b) => sum + b.size, 0);
  }

  /**
   * Bytes that a request for `byteLength` reserves: half an octave up to 1 MiB, at least 256; an eighth of one above.
   *
   * Few sizes mean few buffers, so that batches of any length meet bind groups that are cached: a bind group cannot be
   * destroyed, and each that is dropped keeps some kilobytes of native memory until a full garbage collection.
   *
   * @param limit Largest buffer of the device; a request below it is not rounded past it.
   */
  static roundedSize(byteLength: number, limit: number = Infinity): number {
    const bytes = Math.max(256, byteLength);
    const octave = Math.floor(Math.log2(bytes));
    const step = bytes <= 1024 ? 256 : 2 ** (octave - (bytes < MIB ? 1 : 3));
    const rounded = Math.ceil(bytes / step) * step;
    return rounded > limit && bytes <= limit ? limit : rounded;
  }

  /**
   * Takes a buffer of at least `byteLength` bytes.
   *
   * A buffer still pending may be taken when `ordered`: its next use is a dispatch after those recorded. Uploads are
   * not ordered with recorded dispatches and get a free buffer or a new one.
   */
  take(byteLength: number, ordered: boolean): PooledBuffer {
    const size = BufferPool.roundedSize(byteLength, this.#maxBufferBytes);
    const found = (ordered ? this.#takePending(size) : undefined) ?? this.#takeFree(size) ?? this.#create(size);
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return found;
  }

  /** Takes a buffer back; it becomes free at the next submit. */
  give(buffer: PooledBuffer): void {
    this.liveBytes -= buffer.size;
    this.#pending.push(buffer);
  }

  /** Everything recorded was submitted: what is pending may now be reused for anything. */
  submitted(): void {
    for (const buffer of this.#pending) {
      const list = this.#free.get(buffer.size);
      if (list) list.push(buffer);
      else this.#free.set(buffer.size, [buffer]);
      this.#freeBytes += buffer.size;
    }
    this.#pending = [];
    if (this.#freeBytes > this.#maxFreeBytes) this.trim(this.#maxFreeBytes);
  }

  /** Destroys free buffers, least recently used sizes first, until at most `maxBytes` are kept. */
  trim(maxBytes: number = 0): void {
    for (const [size, list] of this.#free) {
      while (list.length > 0 && this.#freeBytes > maxBytes) {
        const oldest = list.shift()!;
        oldest.buffer.destroy();
        this.onDestroy(oldest.id);
        this.#freeBytes -= size;
      }
      if (list.length === 0) this.#free.delete(size);
      if (this.#freeBytes <= maxBytes) return;
    }
  }

  #takePending(size: number): PooledBuffer | undefined {
    return takeFirst(this.#pending, (buffer) => buffer.size === size);
  }

  #takeFree(size: number): PooledBuffer | undefined {
    const list = this.#free.get(size);
    if (!list || list.length === 0) return undefined;
    // Re-inserting keeps the map in order of last use, which trim() relies on.
    this.#free.delete(size);
    this.#free.set(size, list);
    this.#freeBytes -= size;
    return takeFirst(list, () => true);
  }

  #create(size: number): PooledBuffer {
    const id = this.#nextId++;
    return { id, size, buffer: this.#device.createBuffer({ label: `pool ${id}`, size, usage: USAGE }), lastStep: 0 };
  }
}

/**
 * Takes out the buffer that was made first. Work that is repeated from the same state then gets the same buffers in the
 * same places, and with them the bind groups that exist; taking what was given back last would shuffle them.
 */
function takeFirst(list: PooledBuffer[], fits: (buffer: PooledBuffer) => boolean): PooledBuffer | undefined {
  let at = -1;
  for (let i = 0; i < list.length; i++) {
    if (fits(list[i]!) && (at < 0 || list[i]!.id < list[at]!.id)) at = i;
  }
  return at < 0 ? undefined : list.splice(at, 1)[0];
}
