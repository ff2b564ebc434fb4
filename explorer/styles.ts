// The stylesheet, created once per page and adopted, which a policy of `style-src 'self'` allows.
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
