// A page that accepts one drop and returns the names and texts of its files.
import { filesOf } from "../../../demo/data/dropped.js";

const dropped = new Promise<[string, string][]>((resolve, reject) => {
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    filesOf(event.dataTransfer!)
      .then((files) => Promise.all(files.map(async (file) => [file.name, await file.text()] as [string, string])))
      .then(resolve, reject);
  });
});
Object.assign(globalThis, { dropped });
