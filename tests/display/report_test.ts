import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { JSDOM } from "jsdom";
import { escapeHtml, renderReport } from "../../src/display/report.ts";
import { SAMPLE_REPORT } from "./sample_report.ts";

const html = await renderReport(SAMPLE_REPORT);
const { document } = new JSDOM(html).window;
const texts = (selector: string): string[] =>
  [...document.querySelectorAll(selector)].map((element: { textContent: string }) => element.textContent);

Deno.test("renderReport() gives the same page for the same report", async () => {
  assertEquals(await renderReport(SAMPLE_REPORT), html);
});

Deno.test("renderReport() refers to nothing outside the page and forbids the browser to", () => {
  const links = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link);
  assertEquals(links, ["data:,"]);
  assert(!/url\((?!#|&quot;#|['"]#)/.test(html), "no address in a style");
  const policy = document.querySelector("meta[http-equiv]").getAttribute("content");
  assertStringIncludes(policy, "default-src 'none'");
});

Deno.test("renderReport() has one title and a heading for every section", () => {
  assertEquals(texts("h1"), [SAMPLE_REPORT.title]);
  assertEquals(texts("h2"), SAMPLE_REPORT.sections.map(({ title }) => title));
  for (const section of document.querySelectorAll("section")) {
    assert(document.getElementById(section.getAttribute("aria-labelledby")), "a section is named by its heading");
  }
});

Deno.test("renderReport() draws each figure twice and names it for who cannot see it", () => {
  const figures = [...document.querySelectorAll("figure")];
  assertEquals(figures.length, 7);
  for (const figure of figures) {
    assertEquals(figure.querySelectorAll("svg.wide").length, 1);
    assertEquals(figure.querySelectorAll("svg.narrow").length, 1);
    for (const svg of figure.querySelectorAll("svg")) {
      assertEquals(svg.getAttribute("role"), "img");
      assert(svg.getAttribute("aria-label").length > 20, "a description");
      assert(svg.hasAttribute("viewBox") && !svg.hasAttribute("width"), "it grows with the page");
    }
  }
});

Deno.test("renderReport() has no id twice", () => {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("renderReport() gives table headings their scope and cells their meaning", () => {
  const [table] = document.querySelectorAll("table");
  assertEquals(table.querySelector("caption").textContent, "Every prompt");
  assertEquals([...table.querySelectorAll("thead th")].map((cell) => cell.getAttribute("scope")), Array(5).fill("col"));
  assertEquals(table.querySelectorAll('tbody th[scope="row"]').length, 7);
  assertEquals([...table.querySelectorAll("td.good")].map((cell) => cell.textContent), Array(7).fill("as wanted"));
});

Deno.test("renderReport() writes every text of the caller as text", async () => {
  const evil = '<img src=x onerror="alert(1)">';
  const page = await renderReport({
    title: evil,
    intro: evil,
    highlights: [{ label: evil, value: evil, note: evil }],
    sections: [{
      title: evil,
      markdown: evil,
      facts: { [evil]: evil },
      tables: [{ caption: evil, columns: [{ header: evil }], rows: [[evil]] }],
    }],
  });
  const parsed = new JSDOM(page).window.document;
  assertEquals(parsed.querySelectorAll("[onerror]").length, 0);
  assertEquals(parsed.querySelector("h1").textContent, evil);
  assertEquals(parsed.querySelector("tbody th").textContent, evil);
});

Deno.test("renderReport() refuses a table with a row of the wrong length", async () => {
  await assertRejects(
    () =>
      renderReport({ title: "T", sections: [{ title: "S", tables: [{ columns: [{ header: "a" }], rows: [[]] }] }] }),
    RangeError,
    "Cannot write a table of 1 columns: row 0 has 0 cells",
  );
});

Deno.test("escapeHtml() escapes the four signs", () => {
  assertEquals(escapeHtml('<a href="&">'), "&lt;a href=&quot;&amp;&quot;&gt;");
});
