import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { contributionFigure } from "../../src/display/contribution_figure.ts";
import { Figure } from "../../src/display/figure.ts";
import { figureSpec } from "../../src/display/figure_spec.ts";
import { lensFigure, scoreMapFigure } from "../../src/display/heat_map_figure.ts";
import { searchFigure } from "../../src/display/search_figure.ts";
import { renderSvg } from "../../src/display/static_svg.ts";
import { TONES } from "../../src/display/theme.ts";
import { CONTRIBUTION, HEADS, LENS, SEARCHES } from "./sample_report.ts";

function count(text: string, part: RegExp): number {
  return [...text.matchAll(part)].length;
}

Deno.test("renderSvg() gives the same bytes twice, without ids of its own making, scripts or links", async () => {
  for (const spec of [contributionFigure(CONTRIBUTION), lensFigure(LENS), searchFigure(SEARCHES)]) {
    const before = structuredClone(spec);
    const first = await renderSvg(spec, { id: "f1" });
    assertEquals(await renderSvg(spec, { id: "f1" }), first);
    assertEquals(spec, before, "the document is left as it was");
    assert(!/<script|href=|https?:\/\/(?!www\.w3\.org)/.test(first), "nothing outside the picture");
    const ids = [...first.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert(ids.length > 0 && ids.every((id) => id.includes("f1-")), ids.join(" "));
    const used = [...first.matchAll(/url\(#([^)]*)\)/g)].map(([, id]) => id);
    assert(used.every((id) => ids.includes(id)), "every reference has its id");
  }
});

Deno.test("renderSvg() draws the ticks and titles of axes", async () => {
  const svg = await renderSvg(contributionFigure(CONTRIBUTION));
  for (const text of [">Layer<", ">7<", ">0.5<", ">Attention<", ">FFN<", "What each layer adds"]) {
    assertStringIncludes(svg, text);
  }
  assert(!svg.includes("display: none") && !/NaN|Infinity/.test(svg), "every label has a place");
});

Deno.test("renderSvg() gives each line of text its width, so that another font of the reader fits", async () => {
  for (const spec of [contributionFigure(CONTRIBUTION), lensFigure(LENS)]) {
    const svg = await renderSvg(spec);
    const lines = [...svg.matchAll(/<(text|tspan)( [^>]*)?>([^<]{2,})</g)];
    assert(lines.length > 5, `${lines.length} lines`);
    for (const [line, , attributes] of lines) assert(/textLength="[\d.]+"/.test(attributes ?? ""), line);
  }
});

Deno.test("renderSvg() names the points for the pointer", async () => {
  const svg = await renderSvg(contributionFigure(CONTRIBUTION));
  // Two panels of two traces of eight layers.
  assertEquals(count(svg, /<title>/g), 32);
  assertStringIncludes(svg, "<title>FFN 7: 2.31 nats</title>");
  assert(!svg.includes("data-hover"), "the carrier is gone");
});

Deno.test("renderSvg() draws each cell of a heat map in the colour of its score", async () => {
  const scores = [[-2, 0], [1, 2]];
  const svg = await renderSvg(scoreMapFigure({ title: "S", columns: ["a", "b"], columnName: "Head", scores }));
  const cells = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" [^>]*rx="2" fill="(#\w+)"/g)]
    .map(([, x, y, fill]) => ({ x: Number(x), y: Number(y), fill }));
  assertEquals(cells.length, 4);
  const [lowest, zero, middle, highest] = cells;
  assertEquals([lowest.fill, zero.fill, highest.fill], [TONES.low.light, TONES.zero.light, TONES.high.light]);
  assertNotEquals(middle.fill, TONES.high.light);
  // Layer 0 stands at the bottom, column 0 at the left.
  assert(lowest.y > middle.y && lowest.x < zero.x, "places follow layers and columns");
  assertStringIncludes(svg, ">-2.00<");
  assert(!svg.includes("<image"), "no bitmap");
});

Deno.test("renderSvg() follows the mode", async () => {
  const spec = scoreMapFigure(HEADS);
  const [light, dark, adaptive] = await Promise.all(
    (["light", "dark", "adaptive"] as const).map((mode) => renderSvg(spec, { mode })),
  );
  assertStringIncludes(dark, TONES.high.dark);
  assert(!dark.includes(TONES.high.light) && !light.includes(TONES.high.dark), "one mode's colours each");
  assertStringIncludes(adaptive, `light-dark(${TONES.ink.light},${TONES.ink.dark})`);
  assertEquals(count(light, /light-dark/g) + count(dark, /light-dark/g), 0);
});

Deno.test("renderSvg() leaves the title and its band out where the page has a caption", async () => {
  const spec = figureSpec({
    title: "Caption",
    description: "D",
    data: [{ type: "bar", y: [1] }],
    layout: {},
    height: 200,
  });
  const [whole, bare] = [await renderSvg(spec), await renderSvg(spec, { title: false })];
  assertStringIncludes(whole, ">Caption<");
  assertStringIncludes(whole, 'viewBox="0 0 880 200"');
  assert(!bare.includes("Caption"), "no title");
  assertStringIncludes(bare, 'viewBox="0 0 880 166"');
});

Deno.test("renderSvg() writes texts with the signs of markup as text", async () => {
  const tokens = ["<b>x</b>", "&amp;"];
  const cells = [tokens.map((token) => ({ token, probability: 0.5 }))];
  const svg = await renderSvg(lensFigure({ tokens, cells }));
  assertStringIncludes(svg, ">&lt;b&gt;x&lt;/b&gt;<");
  assertStringIncludes(svg, ">&amp;amp;<");
});

Deno.test("Figure shows itself as Plotly document, picture and words", async () => {
  const figure = new Figure(contributionFigure(CONTRIBUTION), "dark");
  const show = (figure as unknown as Record<symbol, () => Promise<Record<string, unknown>>>)[
    Symbol.for("Jupyter.display")
  ];
  const bundle = await show.call(figure);
  assertEquals(Object.keys(bundle), ["application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"]);
  const document = bundle["application/vnd.plotly.v1+json"] as typeof figure.spec;
  assertEquals((document.data[1].marker as { color: string }).color, TONES.mlp.dark);
  assertEquals(document.data[1].y, CONTRIBUTION.value.map(({ mlp }) => mlp));
  assertStringIncludes(bundle["image/svg+xml"] as string, "<svg");
  assertEquals(bundle["text/plain"], String(figure));
  assertStringIncludes(String(figure), "FFN: 8 values from -0.05 to 2.31");
});
