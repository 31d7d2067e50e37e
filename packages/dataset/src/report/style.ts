import { type Html, html } from './html.ts'

/** The whole style of the pages. Colours are set once for light and once for dark. */
const STYLE = `
:root { color-scheme: light dark; --page: #f6f7f5; --card: #ffffff; --ink: #1d2420; --soft: #5c6761; --line: #dfe4e0;
  --accent: #2f7d5b; --accent-2: #c46b1f; --fill: #e7efe9 }
@media (prefers-color-scheme: dark) { :root { --page: #121614; --card: #1b211e; --ink: #e6ebe7; --soft: #98a59d;
  --line: #2c3530; --accent: #58b98b; --accent-2: #e59a54; --fill: #243029 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums }
main { max-width: 1180px; margin: 0 auto; padding: 40px 20px 80px }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; overflow-wrap: anywhere }
h2 { font-size: 17px; margin: 0 0 14px }
p { margin: 0 0 10px } .soft { color: var(--soft) } .small { font-size: 13px }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px; margin-top: 18px;
  min-width: 0 }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 3px 18px }
.numbers { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin-top: 24px }
@media (max-width: 640px) { .numbers { grid-template-columns: repeat(2, 1fr) } }
.number { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px }
.number b { display: block; font-size: 24px; line-height: 1.2; font-weight: 650 } .number span { color: var(--soft);
  font-size: 13px }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: 14px }
th { text-align: left; color: var(--soft); font-weight: 500; font-size: 13px }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top }
tr:last-child td { border-bottom: 0 } th:last-child, td:last-child { padding-right: 0 }
td.n, th.n { text-align: right; white-space: nowrap }
code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
.bars { display: grid; grid-template-columns: minmax(0, max-content) minmax(60px, 1fr) max-content; gap: 3px 12px;
  align-items: center; font-size: 13px }
.bars code { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 260px }
.bars i { display: block; height: 12px; border-radius: 2px; background: var(--accent); min-width: 2px }
.bars .warm { background: var(--accent-2) }
.bars span { text-align: right }
svg { display: block; width: 100%; height: auto } svg rect { fill: var(--accent) } svg line { stroke: var(--line) }
svg .mean { stroke: var(--accent-2); stroke-width: 2 } svg text { fill: var(--soft); font-size: 12px }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 16px }
figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; display: flex;
  flex-direction: column }
figure img, figure .none { width: 100%; height: 210px; object-fit: contain; background: var(--fill); display: block }
figure .none { display: grid; place-items: center; color: var(--soft) }
figcaption { padding: 10px 12px 12px; font-size: 13px; line-height: 1.4; overflow-wrap: anywhere }
figcaption p { margin: 0 0 6px } figcaption .facts { color: var(--soft); font-size: 12px; margin: 0 }
figcaption .multi { max-height: 8.6em; overflow-y: auto; color: var(--soft) }
ul { margin: 0; padding-left: 20px } a { color: var(--accent) }
.two { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 1px }
del { color: var(--soft) } ins { text-decoration: none }
`

/** Our own text, so it is not escaped. */
export const styleMarkup = (style: string): Html => html([style] as unknown as TemplateStringsArray)

export const STYLE_MARKUP = styleMarkup(STYLE)
