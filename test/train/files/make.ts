// node node/start.mjs test/train/files/make.ts FILE: saves the model of the stored files in the format that the sources
// have now, and prints for stored.json what this kind of adapter computes from it. Run it when the format gets a new
// version; the files of older versions stay as they are.
import { writeFileSync } from "node:fs";
import { openGpu } from "../../../node/gpu.js";
import { computedOn, weightsHash } from "../bits/presets.js";
import { AFTER, elboOf, trained, trainFor } from "./model.js";

const [file, ...rest] = process.argv.slice(2);
if (!file || rest.length > 0) throw new Error("usage: node node/start.mjs test/train/files/make.ts FILE");
const gpu = await openGpu();
const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error("no WebGPU adapter");
using vae = await trained({ gpu });
writeFileSync(file, await vae.save({ trainingState: true }));
const elbo = await elboOf(vae);
await trainFor(vae, AFTER);
console.log(JSON.stringify({ [computedOn(adapter)]: { ...elbo, after: weightsHash(await vae.save()) } }, undefined, 2));
