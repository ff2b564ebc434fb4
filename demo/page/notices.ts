// Messages above the panels: one error at a time, which can be closed.
import { describeFault, PART_MISSING, WORKER_LOST, type Fault } from "../faults.js";
import { find, say, show } from "./dom.js";

/** What the error's button tries again. */
let repeat: (() => void) | undefined;

export interface Again {
  /** Text of the button. Default "Try again". */
  readonly label?: string;
  readonly act: () => void;
}

/**
 * Shows an error, with a button for `again` if that may help: when the network failed or a part of the page is gone.
 */
export function showFault(error: unknown, again?: Again): Fault {
  const fault = describeFault(error);
  say("fault-title", fault.title);
  say("fault-message", sentence(fault.message));
  say("fault-code", fault.code);
  const items = fault.hints.map((hint) => Object.assign(document.createElement("li"), { textContent: hint }));
  find("fault-hints").replaceChildren(...items);
  repeat = ["DOWNLOAD_FAILED", PART_MISSING, WORKER_LOST].includes(fault.code) ? again?.act : undefined;
  // Replaces the handler that early.ts set.
  const button = find("fault-again");
  button.onclick = null;
  button.textContent = again?.label ?? "Try again";
  show("fault-again", repeat !== undefined);
  show("fault", true);
  // An error is no help if the page is scrolled down and nobody sees it.
  const { top } = find("fault").getBoundingClientRect();
  if (top < 0) find("fault").scrollIntoView({ block: "center" });
  return fault;
}

/** Starts a message with a capital letter, as the library's do not, unless it begins with a name or an address. */
const sentence = (message: string) => message.replace(/^[a-z]+(?= )/, (word) => word[0]!.toUpperCase() + word.slice(1));

export const hideFault = () => show("fault", false);

find("fault-again").addEventListener("click", () => {
  hideFault();
  find("main").focus({ preventScroll: true });
  repeat?.();
});
find("fault-close").addEventListener("click", () => {
  hideFault();
  find("main").focus({ preventScroll: true });
});
