/**
 * The look of a report page: one style sheet for light, dark, small screens and paper, and the script of its switch.
 *
 * @module
 */
import { FONT, type ToneName, TONES } from "./theme.ts";

/** Colours of a page that figures do not have. */
const PAGE = {
  page: { light: "#f6f7f9", dark: "#11151b" },
  line: { light: "#dde1e8", dark: "#2c3440" },
  good: { light: "#0a6b3d", dark: "#6fd39b" },
  bad: { light: "#a92c1d", dark: "#ff9a86" },
  link: { light: "#1f5fae", dark: "#86baf5" },
};

/** Declares the colours of the page; a browser without light-dark() stays light. */
function variables(): string {
  const names: ToneName[] = ["ink", "muted", "surface"];
  const tones = [...names.map((name) => [name, TONES[name]] as const), ...Object.entries(PAGE)];
  const light = tones.map(([name, tone]) => `--${name}:${tone.light}`).join(";");
  const both = tones.map(([name, tone]) => `--${name}:light-dark(${tone.light},${tone.dark})`).join(";");
  return `:root{${light}}\n@supports (color:light-dark(#000,#fff)){:root{${both}}}`;
}

/**
 * Writes the style sheet of a page.
 *
 * @returns CSS that refers to nothing outside the page.
 */
export function pageStyle(): string {
  return `
:root{color-scheme:light dark}
:root[data-mode=light]{color-scheme:light}
:root[data-mode=dark]{color-scheme:dark}
${variables()}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 ${FONT}}
main{max-width:960px;margin:0 auto;padding:40px 24px 64px}
header{display:flex;gap:16px;align-items:flex-start;justify-content:space-between}
h1{font-size:32px;line-height:1.2;letter-spacing:-.015em;margin:0;text-wrap:balance}
h2{font-size:21px;line-height:1.3;letter-spacing:-.005em;margin:48px 0 8px;scroll-margin-top:16px}
p,ul,ol{margin:0 0 12px;max-width:70ch}
.lead{margin:12px 0 0;font-size:17px;color:var(--muted);max-width:65ch}
.lead p{margin:0 0 8px}
a{color:var(--link);text-underline-offset:2px}
code{font:0.9em ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace}
:not(pre)>code{padding:1px 5px;border-radius:4px;background:var(--surface);border:1px solid var(--line);overflow-wrap:anywhere}
pre{overflow-x:auto;padding:14px 16px;border-radius:8px;background:var(--surface);border:1px solid var(--line)}
button{flex:none;font:inherit;font-size:14px;line-height:1;color:var(--ink);background:var(--surface);border:1px solid var(--line);border-radius:999px;padding:9px 14px;cursor:pointer}
button:hover{border-color:var(--muted)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.highlights{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin:28px 0 0;padding:0;list-style:none;max-width:none}
.highlights li{padding:14px 16px 15px;border:1px solid var(--line);border-radius:10px;background:var(--surface)}
.highlights .label{display:block;font-size:13px;color:var(--muted)}
.highlights .value{display:block;margin-top:2px;font-size:24px;line-height:1.25;letter-spacing:-.01em;font-weight:700;overflow-wrap:anywhere}
.highlights .note{display:block;margin-top:3px;font-size:13px;color:var(--muted)}
.card{margin:16px 0 0;border:1px solid var(--line);border-radius:10px;background:var(--surface)}
figure.card{padding:16px 20px 8px}
figcaption{font-size:16px;font-weight:700;line-height:1.35;margin-bottom:2px}
figure svg{display:block;width:100%;height:auto;font-family:${FONT}}
figure .narrow{display:none}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:14.5px;line-height:1.45;font-variant-numeric:tabular-nums}
caption{padding:14px 20px 8px;text-align:left;font-weight:700;font-size:16px}
th,td{padding:8px 12px;text-align:left;vertical-align:baseline;border-top:1px solid var(--line)}
th:first-child,td:first-child{padding-left:20px}
th:last-child,td:last-child{padding-right:20px}
thead th{border-top:0;border-bottom:1px solid var(--line);font-size:13px;font-weight:400;color:var(--muted);vertical-align:bottom}
tbody tr:first-child>*{border-top:0}
tbody th{font-weight:400}
td,tbody th{overflow-wrap:break-word;min-width:3.5em}
.text{min-width:15em}
.right{text-align:right;white-space:nowrap}
.center{text-align:center}
.good{color:var(--good);font-weight:700}
.bad{color:var(--bad);font-weight:700}
.tone-muted{color:var(--muted)}
.strong{font-weight:700}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 20px;margin:16px 0 0;padding:16px 20px;font-size:14.5px}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
@media (max-width:640px){
main{padding:24px 14px 40px}
h1{font-size:25px}
h2{margin-top:36px}
.highlights{grid-template-columns:1fr 1fr;gap:8px}
.highlights li{padding:11px 12px}
.highlights .value{font-size:19px}
figure.card{padding:14px 10px 4px}
figcaption{padding:0 4px}
figure .wide{display:none}
figure .narrow{display:block}
table{font-size:13.5px}
th,td{padding:7px 8px}
caption{padding-left:14px}
th:first-child,td:first-child{padding-left:14px}
th:last-child,td:last-child{padding-right:14px}
dl{grid-template-columns:1fr;gap:0}
dd+dt{margin-top:8px}
}
@media print{
:root,:root[data-mode]{color-scheme:light}
body{background:none}
button{display:none}
.card,.highlights li{break-inside:avoid}
}
`.trim();
}

/** Script of the switch between light and dark; the choice is kept where the browser allows it. */
export const PAGE_SCRIPT: string = `
(() => {
  const root = document.documentElement;
  const button = document.querySelector("button");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const mode = () => root.dataset.mode ?? (system.matches ? "dark" : "light");
  const label = () => { button.textContent = mode() === "dark" ? "Light colours" : "Dark colours"; };
  try { const kept = localStorage.getItem("mode"); if (kept === "light" || kept === "dark") root.dataset.mode = kept; } catch {}
  button.addEventListener("click", () => {
    root.dataset.mode = mode() === "dark" ? "light" : "dark";
    try { localStorage.setItem("mode", root.dataset.mode); } catch {}
    label();
  });
  system.addEventListener("change", label);
  button.hidden = false;
  label();
})();
`.trim();
