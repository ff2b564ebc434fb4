// `npm test`: vitest in an environment with a GPU.
import { join } from "node:path";
import { runVitest } from "./support/vitest_process.mjs";

const start = join(import.meta.dirname, "../node/start.mjs");
runVitest(process.execPath, [start, "--exec", "vitest", "run", ...process.argv.slice(2)]);
