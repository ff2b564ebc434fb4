// For vitest in Deno, started by run.mjs.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import base from "../../vitest.config.js";

const { deno } = process.versions;
if (!deno) throw new Error("this configuration is for Deno: npm run test:wgpu");
const adapter = await navigator.gpu.requestAdapter();
const test = { ...base.test };
delete test.projects;
const name = adapter ? `${adapter.info.description} on wgpu of Deno ${deno}` : `none on wgpu of Deno ${deno}`;

export default defineConfig({
  ...base,
  resolve: { alias: [{ find: /^webgpu$/, replacement: fileURLToPath(new URL("webgpu.ts", import.meta.url)) }] },
  test: {
    ...test,
    maxWorkers: 1,
    setupFiles: ["./test/support/toolbox.ts"],
    // The tests that compute on a GPU. The null tier needs Dawn's null backend, and the others start programs or
    // browsers.
    include: ["test/{ops,support,train}/*.test.ts"],
    // The bits of weights are stored for Dawn's adapters.
    exclude: ["test/train/bits.test.ts"],
    reporters: ["default", ["./test/support/reporter.ts", { adapter: name }]],
  },
});
