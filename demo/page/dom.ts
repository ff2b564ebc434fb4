// The page's elements by their ids.

export function find<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found as unknown as T;
}

/** Sets a text only if it differs: an unchanged one costs no layout. */
export function say(id: string, text: string): void {
  const element = find(id);
  if (element.textContent !== text) element.textContent = text;
}

export const show = (id: string, shown: boolean) => (find(id).hidden = !shown);

/** A custom property's "#rrggbb" as numbers from 0 to 1. */
export function colour(name: string): readonly [number, number, number] {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const part = (at: number) => parseInt(text.slice(at, at + 2), 16) / 255;
  return [part(1), part(3), part(5)];
}

/** Downloads a file to the visitor's machine. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  // Browsers read it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
