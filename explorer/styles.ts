// The stylesheet, made once a page and adopted: a policy of `style-src 'self'` allows that.
import base from "./base.css";
import explore from "./explore.css";
import sections from "./sections.css";

let sheet: CSSStyleSheet | undefined;

export function adoptStyles(root: ShadowRoot): void {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(base + explore + sections);
  }
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}
