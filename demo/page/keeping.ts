// What outlasts the visit: model files, the browser's storage, and the address, which carries the settings.
import type { AutosaveState, Kept, Saved } from "../protocol.js";
import { toHash, type Settings } from "../settings.js";
import { PageFault } from "../faults.js";
import { find, say, show } from "./dom.js";
import type { Again } from "./notices.js";
import { count, duration } from "./figures.js";

export function showAutosave(state: AutosaveState): void {
  const { saved } = state;
  if (state.kind === "off") say("autosave", saved ? `${state.why} ${keptLast(saved)}` : state.why);
  else if (!saved) say("autosave", "The model is saved in this browser as it trains.");
  else say("autosave", `Saved in this browser ${when(saved)}. After a reload you can continue from there.`);
}

/** Shows what was saved of a model that is gone. */
export function showWhatIsLeft(saved: Saved | undefined): void {
  if (saved) say("autosave", `${keptLast(saved)} Training after that is lost.`);
  else say("autosave", "This model was not saved in this browser.");
}

/** The message about a lost worker, and the button that offers to continue with the saved model. */
export function restart(error: PageFault, saved: Saved | undefined, act: () => void): [PageFault, Again] {
  const [hint, label] = saved
    ? [`${keptLast(saved)} You can continue from there.`, "Continue from the saved model"]
    : ["The model was not saved. You can start a new one with the same settings.", "Start again"];
  return [new PageFault(error.title, error.message, [hint], error.code), { label, act }];
}

const keptLast = (saved: Saved) => `Last saved in this browser ${when(saved)}.`;
const when = ({ at, steps }: Saved) => `at ${new Date(at).toLocaleTimeString("en-GB")} after ${count(steps, "step")}`;

export interface Offer {
  readonly continueIt: () => void;
  readonly discard: () => void;
}

export function offerKept(kept: Kept, { continueIt, discard }: Offer): void {
  const { title, epochs, steps, savedAt, needsFiles } = kept;
  // Negative if the clock was changed in between.
  const seconds = (Date.now() - savedAt) / 1000;
  const from = seconds >= 0 ? `from ${duration(seconds)} ago` : "from an earlier visit";
  const trained = epochs > 0 ? count(epochs, "epoch") : count(steps, "step");
  const files = needsFiles ? " It was trained on your own files: drop them on the page first." : "";
  say(
    "kept-text",
    `A model ${from} is saved in this browser: ${title}, ${trained}.${files} Training another one replaces it.`,
  );
  show("kept", true);
  find<HTMLButtonElement>("kept-continue").onclick = continueIt;
  find<HTMLButtonElement>("kept-discard").onclick = discard;
}

/** Puts the current settings into the address, so that it can be bookmarked and shared. */
export function showInAddress(settings: Settings): void {
  const hash = toHash(settings);
  if (hash !== location.hash) history.replaceState(null, "", hash || `${location.pathname}${location.search}`);
}

export async function copyLink(settings: Settings): Promise<void> {
  showInAddress(settings);
  const own = settings.data === "files" ? " It contains everything but your own files." : "";
  try {
    await navigator.clipboard.writeText(location.href);
    say("shared", `Link copied.${own}`);
  } catch {
    // Permission denied, or not a secure page; the address bar has the link too.
    say("shared", `Copy this link: ${location.href}${own}`);
  }
}

export const fileName = (title: string, ending: string) =>
  `webvae-${
    title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 40) || "model"
  }.${ending}`;
