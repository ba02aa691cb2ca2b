/**
 * Writes safetensors files that any reader of the format accepts.
 *
 * @module
 */

import { dtypeBytes, type SafetensorsDtype } from "./safetensors_header.ts";
import { type OpenSink, writeAtomically } from "./write_file.ts";

/** A tensor to write; `Data` is what its elements are given as. */
export interface TensorToWrite<Data extends ArrayBufferView | StreamedData = ArrayBufferView> {
  /** Name in the file. */
  readonly name: string;
  /** Element type that the bytes are in. */
  readonly dtype: SafetensorsDtype;
  /** Sizes, row-major. */
  readonly shape: readonly number[];
  /** The elements, little-endian, row-major: bytes, a typed array, or what gives bytes when their turn comes. */
  readonly data: Data;
}

/** Bytes that are made while the file is written. */
export interface StreamedData {
  /** How many bytes there will be. */
  readonly byteLength: number;
  /** Makes them; called once. */
  chunks(): AsyncIterable<Uint8Array>;
}

type AnyTensor = TensorToWrite<ArrayBufferView | StreamedData>;

/** The header's text is padded with spaces to a multiple of this, so that 8-byte elements are aligned in the file. */
const ALIGNMENT = 8;

function checkTensors(path: string, tensors: readonly AnyTensor[]): void {
  const names = new Set<string>();
  for (const { name, dtype, shape, data } of tensors) {
    if (names.has(name) || name === "__metadata__") {
      const why = names.has(name) ? "it stands twice in the list" : "the format keeps this name for itself";
      throw new TypeError(`Cannot write tensor "${name}" to ${path}: ${why}; give it another name`);
    }
    names.add(name);
    const wanted = shape.reduce((product, size) => product * size, dtypeBytes(dtype));
    if (data.byteLength !== wanted) {
      throw new RangeError(
        `Cannot write tensor "${name}" to ${path}: found ${data.byteLength} bytes, ` +
          `wanted ${wanted} for the shape [${shape}] as ${dtype}`,
      );
    }
  }
}

function encodeHeader(tensors: readonly AnyTensor[], metadata: Record<string, string>): Uint8Array {
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let begin = 0;
  for (const { name, dtype, shape, data } of tensors) {
    header.push([name, { dtype, shape, data_offsets: [begin, begin + data.byteLength] }]);
    begin += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/**
 * Writes a safetensors file: under a temporary name first, then renamed, so that it is whole or absent.
 *
 * The widest elements come first, then names in order, which aligns every tensor to its element size.
 *
 * @param path File to write or replace.
 * @param tensors The tensors, in any order.
 * @param metadata Free text pairs.
 * @param open Opens the temporary file.
 * @throws {TypeError} If a name stands twice or is reserved.
 * @throws {RangeError} If the bytes of a tensor do not fit its shape, or not as many come as were promised.
 * @throws {FileError} If the folder cannot be written or the disk is full; nothing is left behind.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly AnyTensor[],
  metadata: Record<string, string> = {},
  open?: OpenSink,
): Promise<void> {
  checkTensors(path, tensors);
  const ordered = tensors.toSorted((a, b) => dtypeBytes(b.dtype) - dtypeBytes(a.dtype) || (a.name < b.name ? -1 : 1));
  await writeAtomically(path, async (write) => {
    await write(encodeHeader(ordered, metadata));
    for (const { name, data } of ordered) {
      if (ArrayBuffer.isView(data)) {
        await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        continue;
      }
      let length = 0;
      for await (const bytes of data.chunks()) {
        length += bytes.length;
        await write(bytes);
      }
      if (length === data.byteLength) continue;
      throw new RangeError(
        `Cannot write tensor "${name}" to ${path}: ${length} bytes came, wanted the ${data.byteLength} that were promised`,
      );
    }
  }, open);
}
