/** How the HTML report looks: in dark and in light as the reader has it, on paper, and in 400 pixels. */
import type { Markup } from './markup.ts';

// Every colour of a text has a contrast of 4.5 or more with what it stands on, in both themes.
const RULES = `
:root { color-scheme: light dark; --page: #ffffff; --card: #f6f7f9; --text: #1b1f24; --faint: #57606a; --line: #d0d7de;
  --pass: #116329; --error: #a40e26; --warning: #7d4e00; --info: #0a53a8; --unknown: #6639ba; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --text: #e6edf3; --faint: #9da7b1;
  --line: #30363d; --pass: #56d364; --error: #ff8d85; --warning: #e3b341; --info: #79c0ff; --unknown: #d2a8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .25rem 0; } ul, ol { margin: .25rem 0; padding-left: 1.25rem; }
code, pre, .name { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
pre { margin: .5rem 0; padding: .5rem .75rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  white-space: pre-wrap; }
.faint { color: var(--faint); } .small { font-size: .875em; }
.pass { color: var(--pass); } .error { color: var(--error); } .warning { color: var(--warning); }
.info { color: var(--info); } .unknown { color: var(--unknown); } .fixed { color: var(--pass); }
.mark { font-weight: 600; }
.headline { font-size: 1.15rem; font-weight: 600; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; margin: 1rem 0; }
.counts li { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .25rem .75rem; }
.counts b { font-size: 1.1rem; margin-right: .35rem; }
.card { background: var(--card); border: 1px solid var(--line); border-left-width: 4px; border-radius: 6px;
  padding: .6rem .9rem; margin: .6rem 0; break-inside: avoid; }
.card.error { border-left-color: var(--error); } .card.warning { border-left-color: var(--warning); }
.card.info { border-left-color: var(--info); } .card.unknown { border-left-color: var(--unknown); }
.card.pass, .card.fixed { border-left-color: var(--pass); }
.card { color: var(--text); }
.card > header { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) minmax(0, 1fr); gap: .1rem .9rem; margin: .4rem 0; }
dt { color: var(--faint); } dd { margin: 0; }
.timeline { list-style: none; padding: 0; }
.timeline li { display: grid; grid-template-columns: 12.5rem minmax(0, 1fr); gap: 0 1rem; padding: .3rem 0;
  border-top: 1px solid var(--line); break-inside: avoid; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .75rem; }
@media (max-width: 34rem) { dl, .timeline li { grid-template-columns: minmax(0, 1fr); } dd { margin-bottom: .3rem; } }
@media print { :root { color-scheme: light; --page: #ffffff; --card: #ffffff; --text: #000000; --faint: #444444; --line: #999999;
  --pass: #0b4a1d; --error: #8a0a1e; --warning: #5c3a00; --info: #083f80; --unknown: #4c2a8c; }
  body { max-width: none; padding: 0; font-size: 10pt; } h2 { break-after: avoid; } }
`;

export const STYLE_SHEET: Markup = { markup: `<style>${RULES}</style>` };
