// Finds where a text stops being valid JSON, and where the values are that an error in a model spec refers to. Browsers
// word JSON errors differently, and Safari gives no position at all.

export interface JsonFault {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface JsonText {
  readonly value?: unknown;
  readonly fault?: JsonFault;
  /** Offset of each value by its path: "encoder[1].units". */
  readonly places: ReadonlyMap<string, number>;
}

/** Deeper than any model, and shallow enough for the stack. */
const DEEPEST = 60;
/** The most characters: a spec of a thousand layers takes 100,000, and the position of every value is stored. */
const LONGEST = 2 ** 18;

class Fault extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

/** Reads JSON as JSON.parse does, and never throws. */
export function readJson(text: string): JsonText {
  const places = new Map<string, number>();
  let at = 0;

  const space = () => {
    while (at < text.length && " \t\n\r".includes(text[at]!)) at++;
  };
  const found = () => (at < text.length ? `found ${JSON.stringify(text[at])}` : "the text ends");
  const expect = (sign: string, what: string) => {
    if (text[at] !== sign) throw new Fault(at, `${what}, ${found()}`);
    at++;
  };
  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const end = pattern.exec(text) ? pattern.lastIndex : -1;
    if (end < 0) return false;
    at = end;
    return true;
  };
  const string = (): string => {
    const start = at;
    // eslint-disable-next-line no-control-regex -- JSON forbids them unescaped
    if (!match(/"([^"\\\u0000-\u001f]|\\(["\\/bfnrt]|u[\da-f]{4}))*"/iy)) {
      throw new Fault(start, "this string is not closed, or has an invalid escape");
    }
    return JSON.parse(text.slice(start, at)) as string;
  };

  const value = (path: string, depth: number): void => {
    if (depth > DEEPEST) throw new Fault(at, `nested deeper than ${DEEPEST}`);
    space();
    places.set(path, at);
    const sign = text[at];
    if (sign === "{") {
      at++;
      const keys = new Set<string>();
      for (let first = true; ; first = false) {
        space();
        if (text[at] === "}" && first) break;
        if (text[at] !== '"') throw new Fault(at, `expected a name in double quotes, ${found()}`);
        const start = at;
        const key = string();
        if (keys.has(key)) throw new Fault(start, `duplicate name ${JSON.stringify(key)}`);
        keys.add(key);
        space();
        expect(":", "expected a colon");
        value(path ? `${path}.${key}` : key, depth + 1);
        space();
        if (text[at] === "}") break;
        expect(",", "expected a comma or }");
      }
      at++;
    } else if (sign === "[") {
      at++;
      for (let index = 0; ; index++) {
        space();
        if (text[at] === "]" && index === 0) break;
        value(`${path}[${index}]`, depth + 1);
        space();
        if (text[at] === "]") break;
        expect(",", "expected a comma or ]");
      }
      at++;
    } else if (sign === '"') string();
    else if (!match(/-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?/iy) && !match(/true|false|null/y)) {
      throw new Fault(at, `expected a value, ${found()}`);
    }
  };

  try {
    if (text.length > LONGEST) throw new Fault(0, `the text has ${text.length} characters; the limit is ${LONGEST}`);
    value("", 0);
    space();
    if (at < text.length) throw new Fault(at, `expected the end, ${found()}`);
    return { value: JSON.parse(text) as unknown, places };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { fault: { ...lineOf(text, fault.at), message: fault.message }, places };
  }
}

/** Line and column of an offset, from 1. */
export function lineOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
