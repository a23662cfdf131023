/**
 * How the elements look. The stylesheet is constructed, so that a strict policy of the page around
 * lets it in; colours follow `color-scheme`, and a page may set each of them, or style the parts.
 */

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
  color-scheme: light dark;
  --text: var(--prepaid-text, light-dark(#1f2328, #f0f6fc));
  --soft: var(--prepaid-soft, light-dark(#59636e, #a5adb8));
  --ground: var(--prepaid-background, light-dark(#ffffff, #0d1117));
  --line: var(--prepaid-line, light-dark(#d1d9e0, #3d444d));
  --accent: var(--prepaid-accent, light-dark(#1a7f37, #238636));
  --on-accent: var(--prepaid-on-accent, #ffffff);
  --warning: var(--prepaid-warning, light-dark(#9a6700, #d29922));
  --radius: var(--prepaid-radius, 6px);
  color: var(--text);
  line-height: 1.5;
  text-align: start;
}
:host([hidden]), [hidden] { display: none !important; }
p, dl, dd { margin: 0; }
.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.card {
  display: grid;
  justify-items: start;
  gap: 8px;
  position: relative;
  padding: 12px 16px;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--ground);
}
.beside {
  margin-block: 4px;
  padding: 0 8px;
  border-radius: var(--radius);
  background: var(--ground); /* whatever the page around has behind it */
  color: var(--soft);
  font-size: 0.875em;
}
.figures { display: flex; flex-wrap: wrap; gap: 8px 32px; }
dt { color: var(--soft); font-size: 0.875em; }
dd { font-size: 1.25em; font-weight: 600; font-variant-numeric: tabular-nums; }
dd small { color: var(--soft); font-size: 0.7em; font-weight: 400; }
.soon dd { color: var(--warning); }
a, button {
  display: inline-block;
  box-sizing: border-box;
  padding: 6px 16px;
  border: 1px solid var(--accent);
  border-radius: var(--radius);
  background: var(--accent);
  color: var(--on-accent);
  font: inherit;
  font-weight: 500;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
button { border-color: var(--line); background: var(--ground); color: var(--text); }
a:hover, button:hover { filter: brightness(0.93); }
:focus-visible { outline: 3px solid light-dark(#0969da, #4493f8); outline-offset: 2px; }
`);

/** A root of an element's own, which nothing of the page around reaches by accident. */
export function rootOf(host: HTMLElement): ShadowRoot {
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  return root;
}

/** An element of the document with its attributes and what is in it. */
export function made<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...inside);
  return one;
}

/** Writes what isn't written yet: what stays the same keeps its selection, and is not said again. */
export function write(where: Node, text: string): void {
  if (where.textContent !== text) where.textContent = text;
}
