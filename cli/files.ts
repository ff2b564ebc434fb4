// Writes the out folder: every file completely or not at all, with errors that name the file.
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** A file that could not be written. */
export class FileError extends Error {
  override readonly name = "FileError";
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const texts: Record<string, string> = {
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EFBIG: "the file is larger than the file system allows",
    EBUSY: "another program has it open",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    EEXIST: "a file is in the way",
    ENOTDIR: "part of the path is a file",
    EISDIR: "a folder with that name is in the way",
    ENOENT: "no such file or folder",
    ENAMETOOLONG: "the name is too long",
  };
  return (code && texts[code]) ?? String(error);
}

/** Like mkdir with parents, but that never returns if a file system such as /proc refuses to create one. */
async function makeFolders(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return;
  if (dirname(folder) !== folder) await makeFolders(dirname(folder));
  await mkdir(folder);
}

/** The bytes of a file. Throws FileError. */
export async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new FileError(`cannot read ${path}: ${reason(error)}`);
  }
}

/** Creates the folder and checks that it is writable before a long run begins. Throws FileError. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder);
    const probe = join(folder, `.webvae-${process.pid}`);
    await writeFile(probe, "");
    await rm(probe);
    await removePartial(folder);
  } catch (error) {
    throw new FileError(`cannot write to the out folder ${folder}: ${reason(error)}`);
  }
}

/**
 * Writes a file under a temporary name and renames it, so that an error or a crash at any moment leaves either the old
 * file or the new one, complete. Throws FileError, with the old file kept.
 */
export async function writeWhole(path: string, data: Uint8Array | string): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  try {
    const file = await open(partial, "w");
    try {
      await file.writeFile(data);
      // Without this, the new name could survive a power failure without the bytes.
      await file.sync();
    } finally {
      await file.close();
    }
    await renameOver(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw new FileError(`cannot write ${path}: ${reason(error)}`);
  }
}

/**
 * Windows refuses to replace a file while a virus scanner or indexer has it open, so this retries for a few seconds.
 */
async function renameOver(from: string, to: string): Promise<void> {
  for (let wait = 10; ; wait *= 2) {
    try {
      return await rename(from, to);
    } catch (error) {
      const held = ["EPERM", "EACCES", "EBUSY"].includes((error as NodeJS.ErrnoException).code ?? "");
      if (process.platform !== "win32" || !held || wait > 2000) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Removes the temporary files of processes that were killed while writing to `folder`. */
async function removePartial(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid] = /\.(\d+)\.part$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export async function appendLine(path: string, line: string): Promise<void> {
  try {
    await appendFile(path, `${line}\n`);
  } catch (error) {
    throw new FileError(`cannot write ${path}: ${reason(error)}`);
  }
}

/**
 * Writes a trained model to `path` or, if that is impossible, to the folder for temporary files, so that hours of
 * training are not lost to a full disk. Then throws FileError saying where the model is, or that it could not be saved.
 */
export async function writeModel(path: string, data: Uint8Array): Promise<void> {
  try {
    await writeWhole(path, data);
  } catch (error) {
    const rescue = join(tmpdir(), `webvae-${process.pid}-${basename(path)}`);
    try {
      await writeFile(rescue, data);
    } catch {
      throw new FileError(`${(error as Error).message}; writing to ${rescue} failed too`);
    }
    throw new FileError(`${(error as Error).message}; the model was written to ${rescue} instead`);
  }
}
