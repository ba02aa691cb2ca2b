/**
 * Repeated keys in JSON text, which `JSON.parse` hides by keeping the last.
 *
 * @module
 */

/** Index just behind the string literal that opens at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}

/**
 * Finds a key that stands twice in the same object, at any depth.
 *
 * @param text Valid JSON text.
 * @returns The first repeated key, unescaped, or null.
 */
export function repeatedKey(text: string): string | null {
  // One entry for every open bracket: the keys so far of an object, null for an array.
  const open: (Set<string> | null)[] = [];
  let keyNext = false;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
        open.push(new Set());
        keyNext = true;
        break;
      case "[":
        open.push(null);
        keyNext = false;
        break;
      case "}":
      case "]":
        open.pop();
        keyNext = false;
        break;
      case ",":
        keyNext = open.at(-1) !== null;
        break;
      case '"': {
        const end = endOfString(text, i);
        if (keyNext) {
          const keys = open.at(-1)!;
          const key: string = JSON.parse(text.slice(i, end));
          if (keys!.has(key)) return key;
          keys!.add(key);
          keyNext = false;
        }
        i = end - 1;
        break;
      }
    }
  }
  return null;
}
