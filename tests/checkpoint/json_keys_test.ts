import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { repeatedKey } from "../../src/checkpoint/json_keys.ts";

Deno.test("repeatedKey() finds a key that stands twice in one object", () => {
  const cases: [string, string | null][] = [
    ["{}", null],
    ['{"a": 1, "b": 2}', null],
    ['{"a": 1, "b": 2, "a": 3}', "a"],
    ['{"a": {"x": 1}, "b": {"x": 1}}', null],
    ['{"a": {"x": 1, "y": [0], "x": 1}}', "x"],
    ['{"a": ["a", "a", {"a": "a"}], "b": "a"}', null],
    ['{"\\u0061": 1, "a": 2}', "a"],
    ['{"a\\"": 1, "a": "\\\\", "b": "{\\"a\\": 1, \\"a\\": 2}"}', null],
    ['[{"a": 1}, {"a": 1}]', null],
    ['{"a": [{"q": 1}, 2, 3], "q": 1, "a": 0}', "a"],
    ['{"__proto__": 1, "__proto__": 2}', "__proto__"],
  ];
  for (const [text, wanted] of cases) assertEquals(repeatedKey(text), wanted, text);
});

Deno.test("repeatedKey() finds nothing in what JSON.stringify writes, and the key of an object written twice", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (object, key) => {
      assertEquals(repeatedKey(JSON.stringify(object)), null);
      const entry = `${JSON.stringify(key)}: ${JSON.stringify(object)}`;
      assertEquals(repeatedKey(`{${entry}, ${entry}}`), key);
    }),
    { seed: 2 },
  );
});
