// Writing the out folder: every file whole or not at all, and a fault that names the file.
import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
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
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    EEXIST: "a file is in the way",
    ENOTDIR: "a part of the path is a file",
    EISDIR: "a folder of that name is in the way",
    ENOENT: "there is no such file or folder",
    ENAMETOOLONG: "the name is too long",
  };
  return (code && texts[code]) ?? String(error);
}

/** As mkdir with parents, which never returns where a file system such as /proc refuses one. */
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

/** Makes the folder and proves that it can be written to, before a long run begins. Throws FileError. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder);
    const probe = join(folder, `.webvae-${process.pid}`);
    await writeFile(probe, "");
    await rm(probe);
  } catch (error) {
    throw new FileError(`cannot write to the out folder ${folder}: ${reason(error)}`);
  }
}

/** Writes a file through a second name, so that a fault leaves the old one as it was. Throws FileError. */
export async function writeWhole(path: string, data: Uint8Array | string): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  try {
    await writeFile(partial, data);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw new FileError(`cannot write ${path}: ${reason(error)}`);
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
 * Writes a trained model where it belongs or, where that is impossible, to the folder for temporary files: hours of
 * training are not lost to a full disk. Throws FileError naming where the model is now, or that it is nowhere.
 */
export async function writeModel(path: string, data: Uint8Array): Promise<void> {
  try {
    await writeWhole(path, data);
  } catch (error) {
    const rescue = join(tmpdir(), `webvae-${process.pid}-${basename(path)}`);
    try {
      await writeFile(rescue, data);
    } catch {
      throw new FileError(`${(error as Error).message}; nor to ${rescue}`);
    }
    throw new FileError(`${(error as Error).message}; the model was written to ${rescue} instead`);
  }
}
