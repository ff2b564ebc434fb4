// The code blocks of a Markdown text.

export interface Block {
  /** The text after the fence: "js", "sh". */
  readonly language: string;
  readonly text: string;
  /** Number of its first line in the file, from 1. */
  readonly line: number;
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; fence: string; line: number; lines: string[] } | undefined;
  for (const [i, line] of markdown.split("\n").entries()) {
    const [, fence, language = ""] = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(line) ?? [];
    if (open && fence?.startsWith(open.fence) && language === "") {
      blocks.push({ language: open.language, text: open.lines.join("\n"), line: open.line });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { language, fence, line: i + 2, lines: [] };
  }
  if (open) throw new Error(`line ${open.line - 1}: the code block has no end`);
  return blocks;
}

/** A command in a shell block: its words over all its lines, without comments. */
export function commandsOf(block: string): string[][] {
  const lines = block.split("\n").map((line) => line.replace(/(^|\s)#.*$/, ""));
  // A line that begins with a space continues the previous one.
  const whole = lines.join("\n").replace(/\\?\n[ \t]+/g, " ");
  return whole.split(/\n|&&/).flatMap((command) => {
    const words = command.trim().split(/\s+/).filter(Boolean);
    return words.length > 0 ? [words] : [];
  });
}
