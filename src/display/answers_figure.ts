/**
 * Probabilities of the old and the new answer, before and after an edit.
 *
 * @module
 */
import { escapeText, type FigureOptions, type FigureSpec, figureSpec } from "./figure_spec.ts";
import { wrapText } from "./glyph_width.ts";
import { BANDS, heading, legendAbove } from "./panels.ts";
import { FONT_SIZE, type PlotlyObject, TONES, WIDTH } from "./theme.ts";

/** Probabilities of two answers, in 0..1. */
export interface AnswerPair {
  /** Probability of the answer before the edit. */
  old: number;
  /** Probability of the answer that the edit sets. */
  new: number;
}

/** One prompt that was asked before and after. */
export interface AnswerPrompt {
  /** Group, for instance `Edited fact`, `Two-hop` or `Neighbours`; prompts of a group stand together. */
  group: string;
  /** The prompt. */
  prompt: string;
  /** Answer before the edit, or the prompt's own fact. */
  old: string;
  /** Answer that the edit sets. */
  new: string;
  /** Probabilities before the edit. */
  before: AnswerPair;
  /** Probabilities after it. */
  after: AnswerPair;
}

/** Input of {@linkcode answersFigure}. */
export interface AnswersData {
  /** Prompts in the order of drawing. */
  prompts: AnswerPrompt[];
}

/** Measures of the rows, in pixels: the vertical axis is one of pixels from the top. */
const ROW = { group: 30, line: 17, bar: 12, gap: 2, below: 14 };

const SERIES = [
  { key: "old", name: "Old answer", color: TONES.before.light },
  { key: "new", name: "New answer", color: TONES.after.light },
] as const;

const SIDES = [
  { key: "before", name: "Before the edit", axis: "x" },
  { key: "after", name: "After the edit", axis: "x2" },
] as const;

/** A prompt with its place. */
interface Row extends AnswerPrompt {
  /** Upper side of its text. */
  top: number;
  /** Its text, broken into lines. */
  lines: string[];
  /** Centres of its bars. */
  bars: { old: number; new: number };
}

/** Places prompts under the headings of their groups. */
function placeRows(prompts: AnswerPrompt[], width: number): { rows: Row[]; groups: [string, number][]; total: number } {
  const groups: [string, number][] = [];
  let total = 0;
  const rows = prompts.map((prompt) => {
    if (groups.at(-1)?.[0] !== prompt.group) {
      groups.push([prompt.group, total]);
      total += ROW.group;
    }
    const top = total;
    // The answers stay on one line, joined by spaces that do not break.
    const answers = `\u2192 ${prompt.old.trim()} | ${prompt.new.trim()}`.replaceAll(" ", "\u00a0");
    const lines = wrapText(`${prompt.prompt} ${answers}`, FONT_SIZE, width);
    const old = top + ROW.line * lines.length + ROW.gap + ROW.bar / 2;
    total = old + 1.5 * ROW.bar + ROW.gap + ROW.below;
    return { ...prompt, top, lines, bars: { old, new: old + ROW.bar + ROW.gap } };
  });
  return { rows, groups, total };
}

/**
 * Draws for each prompt the probability of the old and of the new answer, left before and right after the edit.
 *
 * @param data Prompts with their probabilities.
 * @param options Width.
 * @returns A figure of two panels side by side.
 */
export function answersFigure(data: AnswersData, options: FigureOptions = {}): FigureSpec {
  const { width = WIDTH } = options;
  const { rows, groups, total } = placeRows(data.prompts, width - 32);
  const plotHeight = Math.max(1, total);
  const top = BANDS.title + BANDS.legend + BANDS.heading;
  const share = {
    range: [0, 1.16],
    tickvals: [0, 0.5, 1],
    ticktext: ["0", "0.5", "1"],
    title: { text: "Probability" },
  };
  return figureSpec({
    title: "Answers before and after the edit",
    description: data.prompts.map(({ prompt, before, after, ...answer }) =>
      `${prompt} ${answer.old}: ${before.old.toFixed(2)} to ${after.old.toFixed(2)}; ` +
      `${answer.new}: ${before.new.toFixed(2)} to ${after.new.toFixed(2)}.`
    ).join(" "),
    data: SIDES.flatMap((side) =>
      SERIES.map(({ key, name, color }): PlotlyObject => ({
        type: "bar",
        orientation: "h",
        name,
        legendgroup: key,
        showlegend: side.key === "before",
        xaxis: side.axis,
        x: rows.map((row) => row[side.key][key]),
        y: rows.map((row) => row.bars[key]),
        width: rows.map(() => ROW.bar),
        text: rows.map((row) => row[side.key][key].toFixed(2)),
        textposition: "outside",
        textfont: { size: 11, color: TONES.muted.light },
        cliponaxis: false,
        hovertext: rows.map((row) =>
          escapeText(`${row.prompt}\n${name} "${row[key].trim()}", ${side.key}: ${row[side.key][key].toFixed(3)}`)
        ),
        hoverinfo: "text",
        marker: { color, line: { width: 0 } },
      }))
    ),
    layout: {
      barmode: "overlay",
      legend: legendAbove(width - 24, plotHeight),
      margin: { l: 12, r: 12, t: top, b: BANDS.below },
      xaxis: { ...share, domain: [0, 0.48] },
      xaxis2: { ...share, domain: [0.52, 1], anchor: "y" },
      yaxis: { range: [plotHeight, 0], showgrid: false, showticklabels: false },
      annotations: [
        ...SIDES.map(({ name }, index) => heading(name, 0.52 * index, 1)),
        ...groups.map(([name, at]) => rowText(`<b>${escapeText(name)}</b>`, at + 6)),
        ...rows.map((row) => rowText(escapeText(row.lines.join("\n")), row.top)),
      ],
    },
    height: top + plotHeight + BANDS.below,
    width,
  });
}

function rowText(text: string, at: number): PlotlyObject {
  return {
    text,
    x: 0,
    y: at,
    xref: "paper",
    yref: "y",
    xanchor: "left",
    yanchor: "top",
    showarrow: false,
    align: "left",
    font: { size: FONT_SIZE, color: TONES.ink.light },
    bgcolor: TONES.surface.light,
    borderpad: 0,
  };
}
