// What lasts beyond the visit: model files, the browser's own storage, and the address that carries the settings.
import type { AutosaveState, Kept } from "../protocol.js";
import { toHash, type Settings } from "../settings.js";
import { find, say, show } from "./dom.js";
import { count, duration } from "./figures.js";

export function showAutosave(state: AutosaveState): void {
  if (state.kind === "off") say("autosave", state.why);
  else if (!state.saved) say("autosave", "The model is kept in this browser while it trains.");
  else {
    const time = new Date(state.saved.at).toLocaleTimeString("en-GB");
    say(
      "autosave",
      `Kept in this browser at ${time} after ${count(state.saved.steps, "step")}; a reload can go on with it.`,
    );
  }
}

export interface Offer {
  readonly continueIt: () => void;
  readonly discard: () => void;
}

export function offerKept(kept: Kept, { continueIt, discard }: Offer): void {
  const { title, epochs, steps, savedAt, needsFiles } = kept;
  const ago = duration((Date.now() - savedAt) / 1000);
  const trained = epochs > 0 ? count(epochs, "epoch") : count(steps, "step");
  const files = needsFiles ? " Its data were your own files: drop them on the page first." : "";
  say("kept-text", `A model from ${ago} ago is kept here: ${title}, ${trained}.${files} Training another replaces it.`);
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
    say("shared", `Copy it from here: ${location.href}${own}`);
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
