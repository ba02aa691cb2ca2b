import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  describeFigure,
  escapeText,
  figureSpec,
  significant,
  titleOf,
  unescapeText,
} from "../../src/display/figure_spec.ts";

const PARTS = { title: "T", description: "D", layout: {}, height: 200 };

Deno.test("significant() keeps four digits of fractions and whole numbers as they are", () => {
  assertEquals([1 / 3, -0.000123456, 12345.678, 123456].map(significant), [0.3333, -0.0001235, 12350, 123456]);
});

Deno.test("significant() turns what is not finite into a gap", () => {
  assertEquals([NaN, Infinity, -Infinity].map(significant), [null, null, null]);
});

Deno.test("figureSpec() holds nothing but JSON, typed arrays included", () => {
  const y = Float32Array.of(0.1, 2 / 3) as unknown as number[];
  const spec = figureSpec({ ...PARTS, data: [{ type: "bar", y }] });
  assertEquals(spec.data[0].y, [0.1, 0.6667]);
  assertEquals(JSON.parse(JSON.stringify(spec)), spec);
});

Deno.test("figureSpec() thins a trace of 10 000 points and keeps its only peak and its last stretch", () => {
  const y = Array.from({ length: 10_000 }, (_, index) => (index === 7777 ? 99 : index / 10_000));
  const [trace] = figureSpec({ ...PARTS, data: [{ type: "scatter", y }] }).data;
  const [xs, ys] = [trace.x as number[], trace.y as number[]];
  assert(xs.length <= 2000, `kept ${xs.length} points`);
  assertEquals(xs[ys.indexOf(99)], 7777);
  assertEquals(xs.at(-1), 9999);
  assertEquals(xs, xs.toSorted((left, right) => left - right));
});

Deno.test("figureSpec() thins the texts of points together with them", () => {
  const x = Array.from({ length: 4000 }, (_, index) => index);
  const [trace] = figureSpec({ ...PARTS, data: [{ x, y: x, hovertext: x.map((value) => `p${value}`) }] }).data;
  assertEquals(trace.hovertext, (trace.x as number[]).map((value) => `p${value}`));
});

Deno.test("escapeText() is undone by unescapeText()", () => {
  const text = 'a <b> & "c"\n&lt;';
  assertEquals(escapeText(text), 'a &lt;b&gt; &amp; "c"<br>&amp;lt;');
  assertEquals(unescapeText(escapeText(text)), text);
});

Deno.test("titleOf() gives back a title with signs that Plotly reads as tags", () => {
  assertStrictEquals(titleOf(figureSpec({ ...PARTS, title: 'Raise "<b>"', data: [] })), 'Raise "<b>"');
});

Deno.test("describeFigure() names the traces with their ranges", () => {
  const spec = figureSpec({
    ...PARTS,
    data: [
      { name: "up", y: [1, 2.5, -3] },
      { name: "flat", orientation: "h", x: [0.5], y: [7] },
      { name: "map", z: [[0, 1], [4, 9]], y: [1, 2] },
      { y: [] },
    ],
  });
  assertEquals(
    describeFigure(spec),
    "T\n  up: 3 values from -3 to 2.5\n  flat: 1 value, 0.5\n  map: 4 values from 0 to 9\n  trace 4: no values",
  );
});
