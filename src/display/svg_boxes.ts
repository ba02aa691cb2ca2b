/**
 * Boxes of SVG elements, computed from their attributes where no browser lays them out.
 *
 * @module
 */
import { textWidth } from "./glyph_width.ts";
import { type StageElement } from "./stage_dom.ts";
import { FONT_SIZE } from "./theme.ts";

/** A rectangle by its sides, in pixels. */
export interface Box {
  /** Left side. */
  left: number;
  /** Upper side. */
  top: number;
  /** Right side. */
  right: number;
  /** Lower side. */
  bottom: number;
}

/** An affine map: x' = a x + c y + e, y' = b x + d y + f. */
type Affine = [a: number, b: number, c: number, d: number, e: number, f: number];

const IDENTITY: Affine = [1, 0, 0, 1, 0, 0];

/**
 * Computes the box of an element in its own coordinates, as `getBBox` does, from its texts and rectangles.
 *
 * @param element An SVG element.
 * @returns Its box, or undefined where it holds neither text nor rectangle.
 */
export function localBox(element: StageElement): Box | undefined {
  if (element.tagName === "text") return textBox(element);
  if (element.tagName === "rect") return rectBox(element);
  const boxes = Array.from(element.children, (child) => mapBox(localBox(child), transformOf(child)));
  return boxes.reduce((all, box) => all && box ? unite(all, box) : all ?? box, undefined);
}

/**
 * Computes the box of an element on the page, as `getBoundingClientRect` does.
 *
 * @param element An element.
 * @returns Its box; an element without text or rectangle has an empty one at its origin.
 */
export function pageBox(element: StageElement): Box {
  let box = localBox(element) ?? { left: 0, top: 0, right: 0, bottom: 0 };
  for (let around: StageElement | null = element; around; around = around.parentElement) {
    box = mapBox(box, transformOf(around)) as Box;
  }
  return box;
}

/**
 * Writes the width that each line of text was measured with into it. Where the reader has another font than the figure was
 * laid out for, its letters become a little narrower or wider, and neither run into what stands beside nor lose their end.
 *
 * @param root An SVG element.
 */
export function fixTextWidths(root: StageElement): void {
  for (const text of root.querySelectorAll("text")) {
    for (const { element, width } of linesOf(text)) {
      // A single letter has no neighbour to run into.
      if ((element.textContent ?? "").length < 2) continue;
      element.setAttribute("textLength", width.toFixed(2));
      element.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
  }
}

/** Lines of a text element, each with the element that holds it and its width. */
function linesOf(text: StageElement): { element: StageElement; width: number }[] {
  const bold = /font-weight:\s*(bold|[6-9]00)/.test(text.getAttribute("style") ?? "");
  const lines = [...text.querySelectorAll("tspan.line")];
  return (lines.length > 0 ? lines : [text])
    .map((element) => ({ element, width: textWidth(element.textContent ?? "", fontSize(text), bold) }));
}

function fontSize(text: StageElement): number {
  const style = /font-size:\s*([\d.]+)px/.exec(text.getAttribute("style") ?? "")?.[1];
  return Number(style ?? text.getAttribute("font-size") ?? FONT_SIZE);
}

function textBox(element: StageElement): Box {
  const lines = linesOf(element);
  const width = Math.max(...lines.map((line) => line.width));
  const anchor = element.getAttribute("text-anchor") ??
    /text-anchor:\s*(\w+)/.exec(element.getAttribute("style") ?? "")?.[1];
  const left = number(element, "x") - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0);
  const baseline = number(element, "y");
  const size = fontSize(element);
  // Plotly sets lines 1.3 em apart.
  const below = size * (0.25 + 1.3 * (lines.length - 1));
  return { left, top: baseline - 0.9 * size, right: left + width, bottom: baseline + below };
}

function rectBox(element: StageElement): Box {
  const left = number(element, "x");
  const top = number(element, "y");
  return { left, top, right: left + number(element, "width"), bottom: top + number(element, "height") };
}

function number(element: StageElement, name: string): number {
  return Number.parseFloat(element.getAttribute(name) ?? "0") || 0;
}

function unite(one: Box, other: Box): Box {
  return {
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
  };
}

function mapBox(box: Box | undefined, [a, b, c, d, e, f]: Affine): Box | undefined {
  if (box === undefined) return undefined;
  const corners = [[box.left, box.top], [box.right, box.top], [box.left, box.bottom], [box.right, box.bottom]];
  const xs = corners.map(([x, y]) => a * x + c * y + e);
  const ys = corners.map(([x, y]) => b * x + d * y + f);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** Reads the transform attribute: the kinds that Plotly writes. */
function transformOf(element: StageElement): Affine {
  const text = element.getAttribute("transform") ?? "";
  let all = IDENTITY;
  for (const [, name, list] of text.matchAll(/(translate|rotate|scale)\(([^)]*)\)/g)) {
    const [first = 0, second, third] = list.split(/[\s,]+/).map(Number);
    if (name === "translate") all = compose(all, [1, 0, 0, 1, first, second ?? 0]);
    else if (name === "scale") all = compose(all, [first, 0, 0, second ?? first, 0, 0]);
    else {
      const angle = (first * Math.PI) / 180;
      const turn: Affine = [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0];
      const [x, y] = [second ?? 0, third ?? 0];
      all = compose(compose(compose(all, [1, 0, 0, 1, x, y]), turn), [1, 0, 0, 1, -x, -y]);
    }
  }
  return all;
}

/** The map that applies `inner` first. */
function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [p, q, r, s, t, u] = inner;
  return [a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f];
}
