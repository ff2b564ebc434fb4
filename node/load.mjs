// Vulkan's loader for a running process. The dynamic linker looks for libraries where LD_LIBRARY_PATH said when the
// process started; but it takes one that is loaded already for any of the same name.
import { constants } from "node:os";

/** RTLD_NODELETE of Linux, which Node has no name for: it closes at once what is none of its addons. */
const KEEP = 0x1000;

/**
 * Loads the library at `file` for as long as the process lives. Throws what the dynamic linker says.
 * @param {string} file
 */
export function load(file) {
  try {
    process.dlopen({ exports: {} }, file, constants.dlopen.RTLD_LAZY | KEEP);
  } catch (error) {
    // What Node says of a library that is loaded, but is no addon.
    if (!(error instanceof Error && /self-register/.test(error.message))) throw error;
  }
}
