// Files and folders dropped anywhere on the page.
import { filesOf } from "../data/dropped.js";
import { show } from "./dom.js";

export function acceptDrops(dropped: (files: readonly File[]) => void): void {
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  let inside = 0;
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    inside++;
    show("drop", true);
  });
  addEventListener("dragleave", (event) => {
    if (hasFiles(event) && --inside <= 0) show("drop", false);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    inside = 0;
    show("drop", false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    // A folder that cannot be read is reported like any other rejection.
    void filesOf(event.dataTransfer!).then((files) => {
      if (files.length > 0) dropped(files);
    });
  });
}

/** Recognizes a safetensors file by the length of its JSON header at the start, since names prove nothing. */
export async function isModelFile(file: File): Promise<boolean> {
  if (file.size < 10) return false;
  const head = new DataView(await file.slice(0, 10).arrayBuffer());
  const length = head.getBigUint64(0, true);
  return length >= 2n && length <= BigInt(file.size - 8) && head.getUint8(8) === "{".charCodeAt(0);
}
