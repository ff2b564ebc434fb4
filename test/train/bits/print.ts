// Prints what presets.ts computes on this machine, as JSON: one side of `npm run bits`.
import { openGpu } from "../../../node/gpu.js";
import { bitsOf, computedOn, presets } from "./presets.js";

const gpu = await openGpu();
const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error("no WebGPU adapter");
const bits: Record<string, string> = {};
for (const preset of presets) bits[preset] = await bitsOf(preset, { gpu });
console.log(JSON.stringify({ on: computedOn(adapter), bits }));
