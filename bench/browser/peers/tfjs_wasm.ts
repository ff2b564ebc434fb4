import { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { openOn } from "./tfjs.js";
import { threads, type OpenPeer } from "../protocol.js";

/** The page's folder holds the package's three .wasm files. */
export const open: OpenPeer = (material) => {
  setWasmPaths(new URL(".", location.href).href);
  setThreadsCount(material.job.processors);
  return openOn(material, () => threads(getThreadsCount()));
};
