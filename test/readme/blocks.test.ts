// The Markdown parser that the README's test relies on.
import { expect, test } from "vitest";
import { blocksOf, commandsOf } from "./blocks.js";

test("blocks have their language, text and line", () => {
  const text = "a\n\n```js\nx\n\n y\n```\n`b`\n````md\n```sh\nz\n```\n````\n~~~\nq\n~~~\n";
  expect(blocksOf(text)).toEqual([
    { language: "js", text: "x\n\n y", line: 4 },
    { language: "md", text: "```sh\nz\n```", line: 10 },
    { language: "", text: "q", line: 15 },
  ]);
  expect(() => blocksOf("```js\nx")).toThrow(/line 1: .* no end/);
});

test("commands are joined across lines, split at &&, and stripped of comments", () => {
  const text = "npm ci && npm run a   # first\nnpm run b -- --x\n             --y 1\n\nnpm run c -- \\\n  --z\n# all";
  expect(commandsOf(text)).toEqual([
    ["npm", "ci"],
    ["npm", "run", "a"],
    ["npm", "run", "b", "--", "--x", "--y", "1"],
    ["npm", "run", "c", "--", "--z"],
  ]);
});
