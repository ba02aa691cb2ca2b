import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { DIVERGING, luminance, type Mode, recolor, scaleColor, type ToneName, TONES } from "../../src/display/theme.ts";

/** Colours that stand beside each other in one figure. */
const TOGETHER: [ToneName, ToneName][] = [
  ["attention", "mlp"],
  ["before", "after"],
  ["mlp", "idle"],
  ["query", "idle"],
  ["low", "high"],
  ["query", "mlp"],
];

const MODES: Mode[] = ["light", "dark"];

/** Dichromacy in linear RGB (Machado, Oliveira, Fernandes 2009, severity 1). */
const VISION = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

function linear(color: string): number[] {
  return [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
}

/** CIE Lab under D65. */
function lab([red, green, blue]: number[]): number[] {
  const curve = (value: number): number => (value > 216 / 24389 ? Math.cbrt(value) : (841 / 108) * value + 4 / 29);
  const x = curve((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047);
  const y = curve(0.2126729 * red + 0.7151522 * green + 0.072175 * blue);
  const z = curve((0.0193339 * red + 0.119192 * green + 0.9503041 * blue) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((left, right) => left - right);
  return (high + 0.05) / (low + 0.05);
}

Deno.test("TONES that stand together differ clearly for every kind of colour vision", () => {
  for (const mode of MODES) {
    for (const [name, matrix] of Object.entries(VISION)) {
      const seen = (tone: ToneName): number[] => {
        const rgb = linear(TONES[tone][mode]);
        return lab(matrix.map((row) => Math.max(0, row.reduce((sum, weight, at) => sum + weight * rgb[at], 0))));
      };
      for (const [one, other] of TOGETHER) {
        const distance = Math.hypot(...seen(one).map((value, at) => value - seen(other)[at]));
        // A difference of 20 in Lab is told at a glance; 2.3 is just noticeable.
        assert(distance > 20, `${one} and ${other}, ${mode}, ${name}: ${distance}`);
      }
    }
  }
});

Deno.test("TONES of text have a contrast of at least 4.5 on the surface, those of marks 3 (WCAG 2.2)", () => {
  for (const mode of MODES) {
    const on = (tone: ToneName): number => contrast(TONES[tone][mode], TONES.surface[mode]);
    for (const tone of ["ink", "muted"] as const) assert(on(tone) >= 4.5, `${tone}, ${mode}: ${on(tone)}`);
    for (const tone of ["attention", "mlp", "query", "before", "after", "low", "high"] as const) {
      assert(on(tone) >= 3, `${tone}, ${mode}: ${on(tone)}`);
    }
  }
});

Deno.test("TONES have no light colour twice, since it stands for its dark form", () => {
  const colors = Object.values(TONES).map(({ light }) => light);
  assertEquals(new Set(colors).size, colors.length);
});

Deno.test("luminance() gives the values of WCAG 2.2", () => {
  assertEquals(luminance("#ffffff"), 1);
  assertEquals(luminance("#000000"), 0);
  assertAlmostEquals(luminance("#808080"), 0.2159, 5e-5);
});

Deno.test("scaleColor() mixes in linear steps and clips", () => {
  const scale: [number, string][] = [[0, "#000000"], [0.5, "#640000"], [1, "#64ff00"]];
  assertEquals([-1, 0, 0.25, 0.5, 0.75, 1, 2].map((at) => scaleColor(scale, at)), [
    "#000000",
    "#000000",
    "#320000",
    "#640000",
    "#648000",
    "#64ff00",
    "#64ff00",
  ]);
});

Deno.test("DIVERGING has the tone of zero in its middle", () => {
  assertEquals(scaleColor(DIVERGING, 0.5), TONES.zero.light);
});

Deno.test("recolor() rewrites the colours of the theme at any depth and nothing else", () => {
  const found = recolor({ a: [TONES.ink.light, "#123456", 3, null], b: { c: TONES.mlp.light } }, "dark");
  assertEquals(found, { a: [TONES.ink.dark, "#123456", 3, null], b: { c: TONES.mlp.dark } });
});
