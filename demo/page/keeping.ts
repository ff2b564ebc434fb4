// What lasts beyond the visit: model files, the browser's own storage, and the address that carries the settings.
import type { AutosaveState, Kept, Saved } from "../protocol.js";
import { toHash, type Settings } from "../settings.js";
import { PageFault } from "../faults.js";
import { find, say, show } from "./dom.js";
import type { Again } from "./notices.js";
import { count, duration } from "./figures.js";

export function showAutosave(state: AutosaveState): void {
  const { saved } = state;
  if (state.kind === "off") say("autosave", saved ? `${state.why} ${keptLast(saved)}` : state.why);
  else if (!saved) say("autosave", "The model is kept in this browser while it trains.");
  else say("autosave", `Kept in this browser ${when(saved)}; a reload can go on with it.`);
}

/** Shows what was kept of a model that is gone. */
export function showWhatIsLeft(saved: Saved | undefined): void {
  if (saved) say("autosave", `${keptLast(saved)} What was trained after that is lost.`);
  else say("autosave", "Nothing of this model was kept in this browser.");
}

/** The message about a lost worker, and the button that offers to continue with what was kept. */
export function restart(error: PageFault, saved: Saved | undefined, act: () => void): [PageFault, Again] {
  const [hint, label] = saved
    ? [`${keptLast(saved)} It can go on from there.`, "Start again from what was kept"]
    : ["Nothing of it was kept. You can start a new model with the same settings.", "Start again"];
  return [new PageFault(error.title, error.message, [hint], error.code), { label, act }];
}

const keptLast = (saved: Saved) => `Kept last in this browser ${when(saved)}.`;
const when = ({ at, steps }: Saved) => `at ${new Date(at).toLocaleTimeString("en-GB")} after ${count(steps, "step")}`;

export interface Offer {
  readonly continueIt: () => void;
  readonly discard: () => void;
}

export function offerKept(kept: Kept, { continueIt, discard }: Offer): void {
  const { title, epochs, steps, savedAt, needsFiles } = kept;
  // Negative if the clock was changed in between.
  const seconds = (Date.now() - savedAt) / 1000;
  const from = seconds >= 0 ? `from ${duration(seconds)} ago` : "of an earlier visit";
  const trained = epochs > 0 ? count(epochs, "epoch") : count(steps, "step");
  const files = needsFiles ? " Its data were your own files: drop them on the page first." : "";
  say("kept-text", `A model ${from} is kept here: ${title}, ${trained}.${files} Training another replaces it.`);
  show("kept", true);
  find<HTMLButtonElement>("kept-continue").onclick = continueIt;
  find<HTMLButtonElement>("kept-discard").onclick = discard;
}

/** The address says what runs, so that it can be kept and sent. */
export function showInAddress(settings: Settings): void {
  const hash = toHash(settings);
  if (hash !== location.hash) history.replaceState(null, "", hash || `${location.pathname}${location.search}`);
}

export async function copyLink(settings: Settings): Promise<void> {
  showInAddress(settings);
  const own = settings.data === "files" ? " It carries all but your own files." : "";
  try {
    await navigator.clipboard.writeText(location.href);
    say("shared", `The link is copied.${own}`);
  } catch {
    // Denied, or no secure page: the address bar has it.
    say("shared", `Copy the link from here: ${location.href}${own}`);
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
