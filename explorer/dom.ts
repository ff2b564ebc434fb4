// Creates elements without parsing markup or writing style attributes, which a strict content policy would block.

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** `part` is also the class, so that the inner stylesheet and a page's ::part() use the same names. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key === "class") made.classList.add(...String(value).split(" "));
    else made.setAttribute(key, value === true ? "" : String(value));
    if (key === "part") made.classList.add(String(value));
  }
  made.append(...children);
  return made;
}

let names = 0;

/** An id that no other element on the page has. */
export const freshId = (stem: string): string => `webvae-${stem}-${names++}`;

export function button(text: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", part: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** A number as text, with a minus sign as wide as a plus. */
export const shown = (value: number, digits = 2): string =>
  (Object.is(Number(value.toFixed(digits)), -0) ? 0 : value).toFixed(digits).replace("-", "−");
