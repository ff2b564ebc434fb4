// The dropped files, including those in folders. Runs on the page, since workers get no drop events.

/** The most files in a drop. A folder with more is not a folder of pictures. */
const MOST_FILES = 20_000;

/**
 * The dropped files; files in folders have the path as their name ("cats/1.png"), and hidden files are skipped. Must be
 * called during the event, because the browser forgets the drop afterwards. Rejects if a folder cannot be read.
 */
export async function filesOf(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].flatMap((item) => (item.kind === "file" ? [item.webkitGetAsEntry()] : []));
  // Some sources (an image dragged out of a page) provide files without entries.
  if (entries.length === 0 || entries.includes(null)) return [...transfer.files];
  const files: File[] = [];
  const waiting = (entries as FileSystemEntry[]).reverse();
  for (let entry = waiting.pop(); entry && files.length < MOST_FILES; entry = waiting.pop()) {
    if (entry.isFile) files.push(await fileOf(entry as FileSystemFileEntry));
    else {
      const inside = await entriesOf(entry as FileSystemDirectoryEntry);
      const seen = inside.filter(({ name }) => !name.startsWith(".")).sort((a, b) => (a.name < b.name ? 1 : -1));
      waiting.push(...seen);
    }
  }
  return files;
}

async function fileOf(entry: FileSystemFileEntry): Promise<File> {
  const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  const path = entry.fullPath.replace(/^\//, "");
  // Refers to the same bytes without reading them.
  return path === file.name ? file : new File([file], path, { type: file.type, lastModified: file.lastModified });
}

/** A reader returns a hundred entries at a time, and none at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  while (all.length < MOST_FILES) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    all.push(...some);
  }
  return all;
}
