/**
 * Damaged inputs: bytes and JSON values that are almost right.
 *
 * @module
 */
import fc from "fast-check";

/** One change of a run of bytes. */
type ByteChange = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Words that break counters: none, one, signs, the largest of each width. */
const ODD_WORDS = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

function change(): fc.Arbitrary<ByteChange> {
  const at = fc.nat();
  const place = (bytes: Uint8Array, where: number): number => where % (bytes.length + 1);
  return fc.oneof(
    // A flipped bit.
    fc.tuple(at, fc.nat(7)).map(([where, bit]): ByteChange => (bytes) => {
      const out = bytes.slice();
      if (out.length > 0) out[where % out.length]! ^= 1 << bit;
      return out;
    }),
    // An odd number of eight bytes, written over what stands there.
    fc.tuple(at, fc.constantFrom(...ODD_WORDS)).map(([where, word]): ByteChange => (bytes) => {
      const out = bytes.slice();
      if (out.length >= 8) new DataView(out.buffer).setBigUint64(where % (out.length - 7), word, true);
      return out;
    }),
    // Cut off, with something in between missing, with something put in, with a part said twice.
    at.map((where): ByteChange => (bytes) => bytes.slice(0, place(bytes, where))),
    fc.tuple(at, fc.integer({ min: 1, max: 64 })).map(([where, count]): ByteChange => (bytes) => {
      const from = place(bytes, where);
      return joined(bytes.subarray(0, from), bytes.subarray(from + count));
    }),
    fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 16 })).map(([where, more]): ByteChange => (bytes) => {
      const from = place(bytes, where);
      return joined(bytes.subarray(0, from), more, bytes.subarray(from));
    }),
    fc.tuple(at, fc.integer({ min: 1, max: 64 })).map(([where, count]): ByteChange => (bytes) => {
      const from = place(bytes, where);
      return joined(bytes.subarray(0, from + count), bytes.subarray(from));
    }),
  );
}

/** `bytes` after one to four changes, or, one time in ten, bytes that were never right. */
export function mutatedBytes(bytes: Uint8Array<ArrayBuffer>): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const mutated = fc.array(change(), { minLength: 1, maxLength: 4 }).map((changes) =>
    changes.reduce((now, apply) => apply(now), bytes)
  );
  const random = fc.uint8Array({ maxLength: 256 }).map((found) => new Uint8Array(found));
  return fc.oneof({ arbitrary: mutated, weight: 9 }, { arbitrary: random, weight: 1 });
}

/** Values that stand where others are wanted. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  7,
  2 ** 31,
  2 ** 53,
  1e308,
  "",
  "x",
  "\ud800",
  "{}",
  [],
  [[[[]]]],
  {},
  { type: "x" },
];

/** Every place in a JSON value, as its holder and key. */
function places(value: unknown, found: [Record<string, unknown>, string][] = []): [Record<string, unknown>, string][] {
  if (typeof value !== "object" || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value as Record<string, unknown>, key]);
    places((value as Record<string, unknown>)[key], found);
  }
  return found;
}

/** `value` after one to three changes: a part replaced, left out, renamed, or put in the place of another. */
export function mutatedJson(value: unknown): fc.Arbitrary<unknown> {
  const step = fc.record({
    at: fc.nat(),
    other: fc.nat(),
    how: fc.constantFrom("replace", "replace", "remove", "rename", "copy"),
    odd: fc.oneof(fc.constantFrom(...ODD_VALUES), fc.jsonValue({ maxDepth: 2 }), fc.integer(), fc.string()),
  });
  return fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => {
    const holder = structuredClone({ value }) as Record<string, unknown>;
    for (const { at, other, how, odd } of steps) {
      const all = places(holder);
      const [parent, key] = all[at % all.length]!;
      const [source, name] = all[other % all.length]!;
      if (how === "replace") parent[key] = structuredClone(odd);
      else if (how === "copy") parent[key] = structuredClone(source[name]);
      else if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (parent !== holder) {
        if (how === "rename") parent[String(odd)] = parent[key];
        delete parent[key];
      }
    }
    return holder["value"];
  });
}
