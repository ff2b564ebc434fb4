// Classes from folders: pictures in "cats" and "dogs" get those labels.

export interface Classes {
  readonly labels: Uint8Array;
  readonly labelNames: string[];
}

/** The most classes that labels can distinguish. */
const MOST = 256;

/** Classes of files named by their paths; undefined if all are in one folder, or in more folders than labels allow. */
export function classesOf(paths: readonly string[]): Classes | undefined {
  const folders = paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  const classes = [...new Set(folders)].sort();
  if (classes.length < 2 || classes.length > MOST) return undefined;
  const short = classes.map((path) => path.slice(path.lastIndexOf("/") + 1) || "no folder");
  return {
    labels: Uint8Array.from(folders, (folder) => classes.indexOf(folder)),
    // Folders that share a name are distinguished by their full paths.
    labelNames: new Set(short).size === short.length ? short : classes.map((path) => path || "no folder"),
  };
}
