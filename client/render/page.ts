/**
 * The frame of a page that stands alone: one file, no script, nothing loaded from anywhere, light and dark, fit to be printed.
 * Rule: every text goes through `safe`, whoever wrote it; the page's own policy forbids whatever might slip through (S13).
 */
import { plain } from './paint.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Any text as content or as an attribute's value, without control characters and without a mark-up of its own. */
export const safe = (text: string): string => plain(text).replace(/[&<>"']/g, (one) => entities[one] ?? '');

const style = `
:root { color-scheme: light dark; --ink: #1b2330; --soft: #5a6575; --paper: #fff; --line: #d8dee6; --shade: #f4f6f9;
  --pass: #176b3a; --warn: #8a5a00; --wait: #0b5cad; --refuse: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa5b4; --paper: #12161c; --line: #2c3440; --shade: #1a2029;
  --pass: #6fd199; --warn: #f0bd5a; --wait: #7db8f7; --refuse: #ff8f85; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  overflow-wrap: anywhere; font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .4rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .7rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
.verdict { font-size: 1.05rem; font-weight: 600; border-left: .35rem solid; padding: .35rem .8rem; margin: .9rem 0 1.4rem; background: var(--shade); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; } dt { color: var(--soft); }
dd { margin: 0; }
.mark { display: inline-block; min-width: 5em; padding: .05rem .5rem; border: 1px solid; border-radius: .3rem; text-align: center;
  font-size: .82em; font-weight: 600; }
.pass { color: var(--pass); } .warn { color: var(--warn); } .wait { color: var(--wait); } .refuse { color: var(--refuse); }
.counts { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.2rem 0 0; padding: 0; list-style: none; }
ol.ways { margin: 0; padding-left: 1.4rem; } ol.ways li { margin: 0 0 .9rem; break-inside: avoid; }
table { border-collapse: collapse; width: 100%; font-size: .92em; table-layout: fixed; } caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .7rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } th:nth-child(1) { width: 6.4rem; } th:nth-child(2) { width: 15rem; } th:nth-child(3) { width: 10rem; } th:nth-child(5) { width: 27%; }
tbody tr { break-inside: avoid; } thead { display: table-header-group; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
footer { margin-top: 2.5rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .88rem; }
@media screen and (max-width: 46rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } thead { display: none; }
  tr, td { display: block; width: auto; } td { border: 0; padding: .15rem 0; }
  tbody tr { display: block; border-bottom: 1px solid var(--line); padding: .7rem 0; } td:empty { display: none; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --line: #bbb; --shade: #fff;
  --pass: #176b3a; --warn: #8a5a00; --wait: #0b5cad; --refuse: #b3261e; }
  body { max-width: none; padding: 0; font-size: 9pt; } th:nth-child(1) { width: 11%; } th:nth-child(2) { width: 19%; } th:nth-child(3) { width: 16%; }
  td, th { padding: .25rem .4rem; } @page { margin: 14mm; } }
`;

/** The whole document; `body` is mark-up whose texts went through `safe`. */
export const page = (title: string, body: string): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<title>${safe(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
