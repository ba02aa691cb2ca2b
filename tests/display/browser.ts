/**
 * Pages in a real Chromium, for the tests that open one.
 *
 * @module
 */
import { type Browser, chromium, type Page } from "playwright-core";
import { assert, assertEquals, assertGreater } from "@std/assert";
import { findChromium } from "./chromium.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const executable = findChromium([...(Deno.env.get("PATH") ?? "").split(":").filter(Boolean), "/usr/bin"]);
if (executable === undefined) console.log("skipped: Chromium is not installed, so no page was opened");

/** Whether there is no Chromium, so that a test that needs one is left out; the reason was printed. */
export const NO_CHROMIUM: boolean = executable === undefined;

/** How a page is looked at. */
export interface PageOptions {
  /** Width of the window in CSS pixels. */
  width: number;
  /** What the system asks for. */
  colorScheme: "light" | "dark";
}

/** A page that was opened, with what it did since. */
export interface OpenPage {
  /** The page. */
  page: Page;
  /** Addresses that it asked for, its own first. */
  requests: string[];
  /** What it wrote to the console and threw. */
  errors: string[];
  /** Its own address. */
  url: string;
}

/** Opens a file as pages of one browser with a profile of its own, which is closed and removed after. */
export async function withBrowser(
  path: string,
  check: (open: (options: PageOptions) => Promise<OpenPage>) => Promise<void>,
): Promise<void> {
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath: executable as string, args: FLAGS });
    const { newContext } = { newContext: browser.newContext.bind(browser) };
    await check(async ({ width, colorScheme }) => {
      const page = await (await newContext({ viewport: { width, height: 900 }, colorScheme })).newPage();
      const requests: string[] = [];
      const errors: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(String(error)));
      const url = `file://${path}`;
      await page.goto(url);
      return { page, requests, errors, url };
    });
  } finally {
    await browser?.close();
  }
}

/** Counts pixels that differ from the most frequent colour, and finds that colour, in the browser itself. */
async function inkOf(image: Uint8Array, page: Page): Promise<{ share: number; ground: string; colors: number }> {
  const blank = await page.context().newPage();
  try {
    return await blank.evaluate(async (source: string) => {
      // deno-lint-ignore no-explicit-any -- the names of the browser's page have no types here
      const web = globalThis as any;
      const bitmap = await web.createImageBitmap(await (await fetch(source)).blob());
      const context = new web.OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      const pixels = new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
      const counts = new Map<number, number>();
      for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
      const [ground, most] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best));
      return { share: 1 - most / pixels.length, ground: ground.toString(16), colors: counts.size };
    }, `data:image/png;base64,${image.toBase64()}`);
  } finally {
    await blank.close();
  }
}

/**
 * Opens a report in light and in dark: no error, no request, no blank figure.
 *
 * @param path File of the report.
 * @param figures How many figures it has.
 */
export async function assertReportShows(path: string, figures: number): Promise<void> {
  await withBrowser(path, async (open) => {
    const grounds: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const { page, requests, errors, url } = await open({ width: 1280, colorScheme });
      const found = await page.locator("figure").all();
      assertEquals(found.length, figures);
      for (const [index, figure] of found.entries()) {
        const { share, ground, colors } = await inkOf(await figure.locator("svg.wide").screenshot(), page);
        // An empty frame has a share of 0; the sparsest figure of the sample covers 4 %.
        assertGreater(share, 0.01, `figure ${index} in ${colorScheme} is blank`);
        assertGreater(colors, 8, `figure ${index} in ${colorScheme} has no marks`);
        if (index === 0) grounds.push(ground);
      }
      assertEquals(requests, [url]);
      assertEquals(errors, []);
      await page.close();
    }
    assert(grounds[0] !== grounds[1], `light and dark have the same ground ${grounds[0]}`);
  });
}
