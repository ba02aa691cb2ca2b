/**
 * Headers of GGUF files for tests, and their parsing as whole files.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type GgufHeader, parseGgufHeader } from "../../src/checkpoint/gguf_header.ts";
import { f32Bytes, type RawGguf, rawGguf, type RawTensor } from "./gguf_files.ts";

/** Path in the messages of these files. */
export const PATH = "x.gguf";

/** Two rows of three values, 24 bytes. */
export const W: RawTensor = { name: "w", type: 0, dims: [3, 2], data: f32Bytes([1, 2, 3, 4, 5, 6]) };
/** A block of Q4_0. */
export const B: RawTensor = { name: "b", type: 2, dims: [32], data: new Uint8Array(18) };

/** A header with a value of every type, and two tensors. */
export const FULL: RawGguf = {
  metadata: [
    ["a.u8", "u8", 255],
    ["a.i8", "i8", -1],
    ["a.u16", "u16", 65535],
    ["a.i16", "i16", -2],
    ["a.u32", "u32", 4294967295],
    ["a.i32", "i32", -3],
    ["a.f32", "f32", 0.5],
    ["a.f64", "f64", 0.1],
    ["a.yes", "bool", 1],
    ["a.text", "string", "Füße"],
    ["a.u64", "u64", 7],
    ["a.big", "u64", 2n ** 64n - 1n],
    ["a.i64", "i64", -8],
    ["a.texts", "array", ["string", ["", "b"]]],
    ["a.flags", "array", ["bool", [0, 1]]],
    ["a.ints", "array", ["i32", [1, -2]]],
    ["a.lists", "array", ["array", [["u8", [1]], ["string", []]]]],
    ["__proto__", "string", "just a key"],
  ],
  tensors: [W, B],
};

/** Parses a whole file. */
export function parse(file: RawGguf | Uint8Array): GgufHeader {
  const header = parseGgufHeader(PATH, file instanceof Uint8Array ? file : rawGguf(file));
  assert(header !== null);
  return header;
}
