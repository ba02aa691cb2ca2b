/**
 * Widths of text: in pixels for figures drawn without a browser, in columns for terminals.
 *
 * @module
 */

/** Advance widths of U+0020 to U+007E in Helvetica, in 1/1000 em (Adobe font metrics; Arial and Liberation Sans agree). */
const HELVETICA = [
  [278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278],
  [556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556],
  [1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778],
  [667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556],
  [333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556],
  [556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584],
].flat();

/** Advance of a letter that the table lacks: that of most Latin, Greek and Cyrillic small letters. */
const OTHER = 556;

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** East Asian wide and full-width blocks (UAX #11), without the emoji that the next expression finds. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;

const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

// deno-lint-ignore no-control-regex -- the escape character starts a colour sequence
const ANSI = /\u001b\[[0-9;]*m/g;

/**
 * Estimates the width of a line in a figure.
 *
 * @param text One line.
 * @param size Font size in pixels.
 * @param bold Whether the line is set in bold.
 * @returns Width in pixels.
 */
export function textWidth(text: string, size: number, bold = false): number {
  let sum = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    const code = segment.codePointAt(0) as number;
    if (code >= 0x20 && code <= 0x7e) sum += HELVETICA[code - 0x20];
    else if (!INVISIBLE.test(segment)) sum += isWide(segment) ? 1000 : OTHER;
  }
  return (sum / 1000) * size * (bold ? 1.06 : 1);
}

/**
 * Breaks a text at its spaces into lines of a figure.
 *
 * @param text Text without line feeds.
 * @param size Font size in pixels.
 * @param width Widest line in pixels; a single longer word stays whole.
 * @returns Lines, at least one.
 */
export function wrapText(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/**
 * Counts the terminal columns of a text; colour sequences count nothing.
 *
 * @param text One line.
 * @returns Columns.
 */
export function columns(text: string): number {
  let count = 0;
  for (const { segment } of SEGMENTER.segment(text.replace(ANSI, ""))) {
    if (!INVISIBLE.test(segment)) count += isWide(segment) ? 2 : 1;
  }
  return count;
}

/**
 * Cuts a text to a number of terminal columns; a cut text ends in an ellipsis.
 *
 * @param text One line without colour sequences.
 * @param limit Most columns, at least 1.
 * @returns The text, or its beginning.
 */
export function fit(text: string, limit: number): string {
  if (columns(text) <= limit) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    used += columns(segment);
    if (used > limit - 1) break;
    kept += segment;
  }
  return `${kept}\u2026`;
}

/**
 * Cuts a text to a width in a figure; a cut text ends in an ellipsis.
 *
 * @param text One line.
 * @param size Font size in pixels.
 * @param width Width in pixels.
 * @returns The text, its beginning, or an empty text where less than two letters would stay.
 */
export function fitWidth(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  for (let length = columns(text) - 1; length >= 3; length--) {
    const short = fit(text, length);
    if (textWidth(short, size) <= width) return short;
  }
  return "";
}

function isWide(segment: string): boolean {
  return WIDE.test(segment) || EMOJI.test(segment);
}
