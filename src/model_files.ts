// Loads the code for saved models: checkpoint.ts, which is files.js in the bundle.
import { loaded } from "./loaded.js";
import { reimporting } from "./reimport.js";

const importFiles = reimporting(() => import("./checkpoint.js"));

/** That code, from this release. Rejects with DOWNLOAD_FAILED; the next call loads again. */
export const modelFiles = () =>
  loaded("the code for model files", "files.js", async () => {
    const found = await importFiles();
    // A page may stay open while another release is deployed.
    if (found.release !== (typeof RELEASE === "string" ? RELEASE : ""))
      throw new Error("it belongs to another release");
    return found;
  });
