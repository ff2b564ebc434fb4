// Classes from folders: pictures that lie in "cats" and in "dogs" are labelled so.

export interface Classes {
  readonly labels: Uint8Array;
  readonly labelNames: string[];
}

/** What a label can count to. */
const MOST = 256;

/** Of files named by their paths; nothing where all lie in one folder, or in more than there can be labels. */
export function classesOf(paths: readonly string[]): Classes | undefined {
  const folders = paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  const classes = [...new Set(folders)].sort();
  if (classes.length < 2 || classes.length > MOST) return undefined;
  const short = classes.map((path) => path.slice(path.lastIndexOf("/") + 1) || "no folder");
  return {
    labels: Uint8Array.from(folders, (folder) => classes.indexOf(folder)),
    // Two folders of one name are told apart by where they lie.
    labelNames: new Set(short).size === short.length ? short : classes.map((path) => path || "no folder"),
  };
}
