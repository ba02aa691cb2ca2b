/**
 * GGUF files that tests make by hand, so that anything can be wrong with them.
 *
 * @module
 */
import type { ByteSource } from "../../src/checkpoint/byte_source.ts";

/** Value types of the format by name. */
export const TYPES = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

/** A typed value; that of a list has the type of its elements first. */
export type Typed = readonly [type: keyof typeof TYPES, value: unknown];

/** A tensor to write. */
export interface RawTensor {
  /** Its name. */
  name: string;
  /** Number of its type in ggml. */
  type: number;
  /** Dimensions in the order of the header: the length of a row first. */
  dims: readonly (number | bigint)[];
  /** Its bytes. */
  data: Uint8Array;
  /** Offset to claim instead of the right one. */
  offset?: bigint;
}

/** What to write, and what to claim instead of the truth. */
export interface RawGguf {
  /** Version; 3 unless told. */
  version?: number;
  /** Pairs of the metadata. */
  metadata?: readonly (readonly [key: string, ...Typed])[];
  /** Tensors. */
  tensors?: readonly RawTensor[];
  /** Claimed number of pairs. */
  pairCount?: bigint;
  /** Claimed number of tensors. */
  tensorCount?: bigint;
  /** Multiple at which tensors are put. */
  alignment?: number;
}

/** Collects little-endian numbers. */
class Writer {
  readonly bytes: number[] = [];

  number(type: keyof typeof TYPES, value: unknown): void {
    const view = new DataView(new ArrayBuffer(8));
    const put: Record<string, [number, () => void]> = {
      u8: [1, () => view.setUint8(0, Number(value))],
      i8: [1, () => view.setInt8(0, Number(value))],
      bool: [1, () => view.setUint8(0, Number(value))],
      u16: [2, () => view.setUint16(0, Number(value), true)],
      i16: [2, () => view.setInt16(0, Number(value), true)],
      u32: [4, () => view.setUint32(0, Number(value), true)],
      i32: [4, () => view.setInt32(0, Number(value), true)],
      f32: [4, () => view.setFloat32(0, Number(value), true)],
      u64: [8, () => view.setBigUint64(0, BigInt(value as number | bigint), true)],
      i64: [8, () => view.setBigInt64(0, BigInt(value as number | bigint), true)],
      f64: [8, () => view.setFloat64(0, Number(value), true)],
    };
    const [size, set] = put[type]!;
    set();
    this.bytes.push(...new Uint8Array(view.buffer, 0, size));
  }

  text(value: string | Uint8Array): void {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    this.number("u64", bytes.length);
    for (const byte of bytes) this.bytes.push(byte);
  }

  value(type: keyof typeof TYPES, value: unknown): void {
    if (type === "string") return this.text(value as string);
    if (type !== "array") return this.number(type, value);
    const [element, items] = value as [keyof typeof TYPES, readonly unknown[]];
    this.number("u32", TYPES[element]);
    this.number("u64", items.length);
    for (const item of items) this.value(element, item);
  }

  align(alignment: number): void {
    while (this.bytes.length % alignment !== 0) this.bytes.push(0);
  }
}

/** Bytes of a GGUF file. */
export function rawGguf(file: RawGguf): Uint8Array<ArrayBuffer> {
  const { version = 3, metadata = [], tensors = [], alignment = 32 } = file;
  const out = new Writer();
  for (const letter of "GGUF") out.bytes.push(letter.charCodeAt(0));
  out.number("u32", version);
  out.number("u64", file.tensorCount ?? tensors.length);
  out.number("u64", file.pairCount ?? metadata.length);
  for (const [key, type, value] of metadata) {
    out.text(key);
    out.number("u32", TYPES[type]);
    out.value(type, value);
  }
  let offset = 0;
  for (const { name, type, dims, data, offset: claimed } of tensors) {
    out.text(name);
    out.number("u32", dims.length);
    for (const size of dims) out.number("u64", size);
    out.number("u32", type);
    out.number("u64", claimed ?? offset);
    offset += Math.ceil(data.length / alignment) * alignment;
  }
  out.align(alignment);
  const size = out.bytes.length + offset;
  const bytes = new Uint8Array(size);
  bytes.set(out.bytes);
  let at = out.bytes.length;
  for (const { data } of tensors) {
    bytes.set(data, at);
    at += Math.ceil(data.length / alignment) * alignment;
  }
  return bytes;
}

/** Bytes in memory, read like a file; `reads` collects the sizes of the pieces. */
export function memorySource(bytes: Uint8Array, reads: number[] = []): ByteSource {
  return {
    path: "x.gguf",
    size: bytes.length,
    read: (start, length) => {
      reads.push(length);
      return Promise.resolve(bytes.slice(start, start + length));
    },
    [Symbol.dispose]() {},
  };
}

/** Bytes of float32 values. */
export function f32Bytes(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Float32Array.from(values).buffer);
}
