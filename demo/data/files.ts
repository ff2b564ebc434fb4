// Data from the visitor's own files: pictures, or arrays of them. A file is identified by its bytes, not its name.
import { arrayKind, headOf } from "./array_kind.js";
import { loadArrays, type ArrayFile } from "./arrays.js";
import { holdOut } from "./hold_out.js";
import { LeftOut } from "./left_out.js";
import { DataFault, type Loaded, type LoadOptions } from "./loaded.js";
import { checkSide, datasetOfPictures } from "./pictures.js";

export interface FileOptions extends LoadOptions {
  /** Side that pictures are scaled to; 32 by default. Arrays are not scaled. */
  readonly size?: number;
  /** For pictures: by default 3 if any of them has colour, else 1. */
  readonly channels?: 1 | 3;
}

/** The most files to examine: more than a folder of pictures has, fewer than a disk. */
const MOST_FILES = 100_000;

/** Throws DataFault, or the signal's reason. */
export async function dataFromFiles(files: readonly File[], options: FileOptions = {}): Promise<Loaded> {
  const { size = 32, onProgress, signal, seed = 0 } = options;
  checkSide(size);
  if (files.length === 0) {
    throw new DataFault("No files", "There is nothing to train on yet.", [
      "Choose or drop pictures, or one IDX or npy file.",
    ]);
  }
  if (files.length > MOST_FILES) {
    const counts = [files.length, MOST_FILES].map((count) => count.toLocaleString("en"));
    throw new DataFault("Too many files", `There are ${counts[0]} files; the limit is ${counts[1]}.`, [
      "Choose a folder with fewer.",
    ]);
  }
  const arrays: ArrayFile[] = [];
  const others: File[] = [];
  const what = `Examining ${files.length.toLocaleString("en")} ${files.length === 1 ? "file" : "files"}`;
  for (const [i, file] of files.entries()) {
    if (i % 50 === 0) onProgress?.(i, files.length, what);
    signal?.throwIfAborted();
    const kind = arrayKind(await headOf(file));
    if (kind) arrays.push({ file, ...kind });
    else others.push(file);
  }
  const leftOut = new LeftOut();
  if (arrays.length > 0) {
    // A folder of arrays may also hold a README or a preview image.
    for (const file of others) leftOut.add(file.name, "not an IDX or npy file like the others");
    const loaded = await loadArrays(arrays, leftOut, options);
    return { ...loaded, notes: [...loaded.notes, ...leftOut.notes(files.length)] };
  }
  const { dataset, labelNames, notes } = await datasetOfPictures(others, leftOut, { ...options, size });
  const { train, test } = holdOut(dataset, seed);
  const { name, shape } = dataset;
  const held = `${test.count.toLocaleString("en")} of them ${test.count === 1 ? "is" : "are"} held out for testing.`;
  return {
    name,
    kind: "images",
    shape: [...shape],
    train,
    test,
    ...(labelNames ? { labelNames } : {}),
    notes: [...notes, held, ...leftOut.notes(files.length)],
  };
}
