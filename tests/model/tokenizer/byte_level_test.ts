import { assertEquals } from "@std/assert";
import { spellByteLevel, tokenToBytes } from "../../../src/model/tokenizer/byte_level.ts";

Deno.test("spellByteLevel() and tokenToBytes() spell every byte of UTF-8 with a character of its own", () => {
  const spelled = new Set<string>();
  for (let code = 0; code < 0x110000; code += code < 0x800 ? 1 : 0x3fd) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const text = String.fromCodePoint(code);
    const spelling = spellByteLevel(text);
    assertEquals([...tokenToBytes(spelling)], [...new TextEncoder().encode(text)]);
    for (const character of spelling) spelled.add(character);
  }
  // UTF-8 has no use for 13 of the 256 bytes.
  assertEquals(spelled.size, 243);
  assertEquals([...tokenToBytes("\u0120Paris")], [...new TextEncoder().encode(" Paris")]);
  assertEquals([...tokenToBytes("\u010a\u0100\u00c3\u00a9")], [0x0a, 0x00, 0xc3, 0xa9]);
  assertEquals([...tokenToBytes("<\u20ac>")], [...new TextEncoder().encode("<\u20ac>")]);
});
