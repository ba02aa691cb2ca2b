import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CSS, render } from "@deno/gfm";

Deno.test("render() makes GitHub's Markdown with heading ids", () => {
  assertEquals(
    render("# Two *words*\n\n# Two words\n"),
    '<h1 id="two-words">Two <em>words</em></h1>\n<h1 id="two-words-1">Two words</h1>\n',
  );
});

Deno.test("render() keeps tables, alignment and task lists", () => {
  const html = render("| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done\n- [ ] open\n");
  assertStringIncludes(html, '<td align="right">2</td>');
  assertEquals(html.match(/type="checkbox"/g)?.length, 2);
  assertEquals(html.match(/ checked/g)?.length, 1);
});

Deno.test("render() removes scripts, handlers, styles and script addresses", () => {
  const html = render(
    '<script>alert(1)</script><p onclick="x()" style="color:red">a</p>\n\n[b](javascript:alert(1))\n',
  );
  for (const bad of ["script", "onclick", "style", "alert"]) assert(!html.includes(bad), `${bad} is still in ${html}`);
});

Deno.test("render() lets through what a caller allows and nothing else", () => {
  const options = {
    allowedTags: ["meter"],
    allowedAttributes: { meter: ["value"] },
    allowedClasses: { span: ["new"] },
  };
  const html = render('<meter value="1" id="m"></meter><span class="new old">x</span>', options);
  assertStringIncludes(html, '<meter value="1"></meter>');
  assertStringIncludes(html, '<span class="new">x</span>');
});

Deno.test("render() leaves the paragraph out of inline text and text alone when told", () => {
  assertEquals(render("**a**", { inline: true }), "<strong>a</strong>");
  assertEquals(render("a\nb", { inline: true, breaks: true }), "a<br />b");
  assertStringIncludes(render("<u>a</u>", { disableHtmlSanitization: true }), "<u>a</u>");
});

Deno.test("CSS styles light and dark pages", () => {
  for (const mode of ["light", "dark"]) assertStringIncludes(CSS, `@media (prefers-color-scheme: ${mode})`);
});
