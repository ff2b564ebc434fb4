// Reads and writes saved models with checkpoint.ts, which in the bundle is files.js, loaded when it is first needed.
import type { Checkpoint, Core } from "./checkpoint.js";
import { WebvaeError } from "./errors.js";
import { loaded } from "./loaded.js";
import { schedules } from "./ops/op.js";
import { defineModel, type Model } from "./parameters.js";
import { resolved } from "./prepare.js";
import { reimporting } from "./reimport.js";
import { size } from "./tensor.js";
import { forEachValue } from "./weights.js";

type Files = typeof import("./checkpoint.js");

const core: Core = { modelOf: async (spec) => defineModel(await resolved(spec)), forEachValue, size, schedules };

/** As readCheckpoint. Also throws DOWNLOAD_FAILED. */
export const readModel = (bytes: Uint8Array, expected?: Model): Promise<Checkpoint> =>
  withFiles((files) => files.readCheckpoint(core, bytes, expected));

/** Like writeCheckpoint. Throws DOWNLOAD_FAILED. */
export const writeModel = (checkpoint: Checkpoint): Promise<Uint8Array<ArrayBuffer>> =>
  withFiles((files) => files.writeCheckpoint(core, checkpoint));

const importFiles = reimporting(() => import("./checkpoint.js"));

async function withFiles<T>(use: (files: Files) => T | Promise<T>): Promise<T> {
  const files = await loaded("the code for model files", "files.js", async () => {
    const found = await importFiles();
    // A page may stay open while another release is deployed.
    if (found.release !== (typeof RELEASE === "string" ? RELEASE : ""))
      throw new Error("it belongs to another release");
    return found;
  });
  try {
    return await use(files);
  } catch (fault) {
    if (!(fault instanceof files.FileFault)) throw fault;
    throw new WebvaeError(fault.code, fault.message, { cause: fault.cause });
  }
}
