import { type Browser, chromium, type Page } from "playwright-core";
import { assert, assertEquals, assertGreater } from "@std/assert";
import { renderReport } from "../../src/display/report.ts";
import { SAMPLE_REPORT } from "./sample_report.ts";

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

const executable = findChromium();
if (executable === undefined) console.log("skipped: Chromium is not installed, so no page was opened");

const FIGURES = SAMPLE_REPORT.sections.flatMap(({ figures = [] }) => figures).length;

function findChromium(): string | undefined {
  const folders = ["/usr/bin", ...(Deno.env.get("PATH") ?? "").split(":").filter(Boolean)];
  return folders.map((folder) => `${folder}/chromium`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Opens the sample in a browser with a profile of its own and gives each test a page; everything is removed after. */
async function withBrowser(check: (open: (options: PageOptions) => Promise<OpenPage>) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  let browser: Browser | undefined;
  try {
    const path = `${folder}/report.html`;
    await Deno.writeTextFile(path, await renderReport(SAMPLE_REPORT));
    browser = await chromium.launch({ executablePath: executable as string, args: FLAGS });
    const { newContext } = { newContext: browser.newContext.bind(browser) };
    await check(async ({ width, colorScheme }) => {
      const page = await (await newContext({ viewport: { width, height: 900 }, colorScheme })).newPage();
      const requests: string[] = [];
      const errors: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(String(error)));
      await page.goto(`file://${path}`);
      return { page, requests, errors, url: `file://${path}` };
    });
  } finally {
    await browser?.close();
    await Deno.remove(folder, { recursive: true });
  }
}

interface PageOptions {
  width: number;
  colorScheme: "light" | "dark";
}

interface OpenPage {
  page: Page;
  requests: string[];
  errors: string[];
  url: string;
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

Deno.test({
  name: "renderReport() opens in a browser without an error, a request or a blank figure, in light and dark",
  ignore: executable === undefined,
  fn: () =>
    withBrowser(async (open) => {
      const grounds: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        const { page, requests, errors, url } = await open({ width: 1280, colorScheme });
        const figures = await page.locator("figure").all();
        assertEquals(figures.length, FIGURES);
        for (const [index, figure] of figures.entries()) {
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
    }),
});

Deno.test({
  name: "renderReport() fits a small and a large screen without scrolling sideways",
  ignore: executable === undefined,
  fn: () =>
    withBrowser(async (open) => {
      for (const width of [320, 390, 768, 1280]) {
        const { page } = await open({ width, colorScheme: "light" });
        assertEquals(await page.evaluate("document.documentElement.scrollWidth"), width);
        const shown = await page.locator("figure").first().locator("svg:visible").count();
        assertEquals(shown, 1, "one drawing of each figure is shown");
        assertEquals(await page.locator("svg.narrow:visible").count(), width <= 640 ? FIGURES : 0);
        await page.close();
      }
    }),
});

Deno.test({
  name: "renderReport() switches between light and dark by its button",
  ignore: executable === undefined,
  fn: () =>
    withBrowser(async (open) => {
      const { page, errors } = await open({ width: 1280, colorScheme: "light" });
      const ground = (): Promise<unknown> => page.evaluate("getComputedStyle(document.body).backgroundColor");
      const bar = (): Promise<unknown> =>
        page.evaluate("getComputedStyle(document.querySelector('figure svg.wide path[style*=\"fill:#\"]')).fill");
      const light = [await ground(), await bar()];
      await page.getByRole("button", { name: "Dark colours" }).click();
      const dark = [await ground(), await bar()];
      assert(light[0] !== dark[0] && light[1] !== dark[1], `page and figures change: ${light} to ${dark}`);
      await page.getByRole("button", { name: "Light colours" }).click();
      assertEquals([await ground(), await bar()], light);
      assertEquals(errors, []);
    }),
});
