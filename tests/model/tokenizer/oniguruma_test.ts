import { assertEquals, assertThrows } from "@std/assert";
import { PatternError, translatePattern } from "../../../src/model/tokenizer/oniguruma.ts";

const found = (pattern: string, text: string): string[] => text.match(translatePattern(pattern)) ?? [];

Deno.test("translatePattern() has Unicode's white space and digits in and out of classes", () => {
  assertEquals(found("\\s+", "a \u0085\ufeff"), [" \u0085"]);
  assertEquals(found("[^\\s]+", "a\ufeff \u0085b"), ["a\ufeff", "b"]);
  assertEquals(found("\\S", " \ufeff"), ["\ufeff"]);
  assertEquals(found("\\d+", "12\u0661x"), ["12\u0661"]);
  assertEquals(found("[\\r\\n]+", "a\r\nb"), ["\r\n"]);
});

Deno.test("translatePattern() keeps groups without regard to case, properties and written characters", () => {
  assertEquals(found("(?i:'s|'ll)", "it'S we'Ll '\u017f"), ["'S", "'Ll", "'\u017f"]);
  assertEquals(found("\\p{^L}", "a1"), ["1"]);
  assertEquals(found("\\P{L}", "a1"), ["1"]);
  assertEquals(found("\\x{1F642}|\\u00e9", "\u{1f642}\u00e9"), ["\u{1f642}", "\u00e9"]);
  assertEquals(found("\\'|\\-|\\/", "'-/"), ["'", "-", "/"]);
  assertEquals(found(".", "a\r\n"), ["a", "\r"]);
  assertEquals(found("]}", "]}"), ["]}"]);
  assertEquals(found("a(?!b)|(?<=x)b", "ab xb a"), ["b", "a"]);
});

Deno.test("translatePattern() lets possessive repeats give nothing back", () => {
  assertEquals(found("a++a|b", "aaab"), ["b"]);
  assertEquals(found("[ab]*+c", "abc"), ["abc"]);
  assertEquals(found("a?+a", "aaa"), ["aa"]);
  assertEquals(found("a+?", "aa"), ["a", "a"]);
});

Deno.test("translatePattern() refuses by name what has no equal", () => {
  const refused: [string, string][] = [
    ["^a", "the anchor ^"],
    ["\\bword", "the escape \\b"],
    ["(?<name>a)", 'the group "(?<n"'],
    ["[a&&b]", '"&&" inside a class'],
    ["[]", "an empty class"],
    ["[a", "a class without its ]"],
    ["*", "Nothing to repeat"],
    ["a{2}+", 'the repeat "{2}+"'],
    ["a\\", "a backslash at the end"],
  ];
  for (const [pattern, message] of refused) assertThrows(() => translatePattern(pattern), PatternError, message);
});
