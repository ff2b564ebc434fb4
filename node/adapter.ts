// Prints the adapter that programs started through start.mjs will run on.
import { adapterName, openGpu } from "./gpu.js";

try {
  const adapter = await (await openGpu()).requestAdapter();
  if (!adapter) throw new Error("the adapter is gone");
  console.log(adapterName(adapter));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
