import { assert, assertEquals } from "@std/assert";
import { renderReport } from "../../src/display/report.ts";
import { withFolder } from "../checkpoint/files.ts";
import { assertReportShows, NO_CHROMIUM, withBrowser } from "./browser.ts";
import { CHROMIUM_NAMES, findChromium } from "./chromium.ts";
import { SAMPLE_REPORT } from "./sample_report.ts";

const FIGURES = SAMPLE_REPORT.sections.flatMap(({ figures = [] }) => figures).length;

/** Writes the sample into a file. */
async function withReport(check: (path: string) => Promise<void>): Promise<void> {
  const html = await renderReport(SAMPLE_REPORT);
  await withFolder(async (folder) => {
    const path = `${folder}/report.html`;
    await Deno.writeTextFile(path, html);
    await check(path);
  });
}

/** Opens the sample in a browser. */
async function withSample(check: Parameters<typeof withBrowser>[1]): Promise<void> {
  await withReport((path) => withBrowser(path, check));
}

Deno.test("findChromium() finds a Chromium by any of its names, in the first folder that has one", async () => {
  await withFolder(async (folder) => {
    assertEquals(findChromium([folder, `${folder}/none`]), undefined);
    for (const name of CHROMIUM_NAMES.toReversed()) {
      await Deno.mkdir(`${folder}/${name}-bin`);
      await Deno.writeTextFile(`${folder}/${name}-bin/${name}`, "");
      assertEquals(findChromium([folder, `${folder}/${name}-bin`]), `${folder}/${name}-bin/${name}`);
    }
  });
});

Deno.test({
  name: "renderReport() opens in a browser without an error, a request or a blank figure, in light and dark",
  ignore: NO_CHROMIUM,
  fn: () => withReport((path) => assertReportShows(path, FIGURES)),
});

Deno.test({
  name: "renderReport() fits a small and a large screen without scrolling sideways",
  ignore: NO_CHROMIUM,
  fn: () =>
    withSample(async (open) => {
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
  ignore: NO_CHROMIUM,
  fn: () =>
    withSample(async (open) => {
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
