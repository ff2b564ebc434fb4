// The page: sends commands to the training worker and shows its answers.
import { callWorker, type Connection } from "./calls.js";
import { asError, isFinal, PageFault, part, PART_MISSING, SUPERSEDED, WORKER_LOST } from "./faults.js";
import { Losses } from "./losses.js";
import { download, find, say, show } from "./page/dom.js";
import { acceptDrops, isModelFile } from "./page/dropping.js";
import { copyLink, fileName, offerKept, showAutosave, restart, showInAddress, showWhatIsLeft } from "./page/keeping.js";
import { LiveControls } from "./page/live_controls.js";
import { LossChart } from "./page/loss_chart.js";
import { showFigures, showTable, showWords, summary } from "./page/loss_words.js";
import { showModel } from "./page/model_facts.js";
import { hideFault, showFault } from "./page/notices.js";
import { SettingsForm } from "./page/settings_form.js";
import { announce, mention } from "./page/status.js";
import { Transport, type Pressed } from "./page/transport.js";
import { View } from "./page/view.js";
import type { Opened, Saved, Standing, Told } from "./protocol.js";
import { fromHash, type Settings } from "./settings.js";

let connection = connect();
const chart = new LossChart();
const transport = new Transport((button) => void attempt(() => press(button)));
const live = new LiveControls(fromHash("").settings, (values) => {
  void attempt(() => connection.commands.live(values));
  showInAddress(form.settings);
});
const form = new SettingsForm({
  begin: (settings, files) => attempt(() => open(settings, files)),
  goal: (epochs) => {
    void attempt(() => connection.commands.goal(epochs));
    showInAddress(form.settings);
  },
  check: async (settings) => (await connection.commands.check(settings))?.message,
  live: () => live.values,
});

let opened: Opened | undefined;
/** The visitor's own files, which the model trains on. */
let ownFiles: readonly File[] = [];
/** When and at which step the current model was last saved. */
let saved: Saved | undefined;
let standing: Standing | undefined;
let losses = new Losses();
let view: View | undefined;
/**
 * The view of the model that was opened last: commands and messages meanwhile belong to it, not to the one before.
 * Rejects if another model replaced it before it was ready.
 */
let opening: Promise<View> | undefined;

/** Starts a worker to train in. */
function connect(): Connection {
  const start = () => new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  return callWorker(start, { told: hear, failed: fail, lost });
}

/** Called when the worker is gone, and the current state of the model with it. */
function lost(error: PageFault): void {
  standing = undefined;
  // It would never settle.
  opening = undefined;
  for (const id of ["save", "load"]) find<HTMLButtonElement>(id).disabled = true;
  transport.enter("failed");
  transport.wait("Stopped.");
  if (opened) showWhatIsLeft(saved);
  fail(error);
}

/** The worker's commands; starts another worker if it is gone. */
const revived = () => (connection.lost.aborted ? (connection = connect()) : connection).commands;

/** Opens the saved copy of the lost model, or a new model with the same settings if there is none. */
async function startAgain(): Promise<void> {
  hideFault();
  transport.wait("Starting again…");
  if (!saved) return open(form.settings, ownFiles);
  await present(await revived().restore(ownFiles), saved);
  announce("The saved model has been restored.");
}

/** Runs what the visitor asked for. If it fails, the error is shown and everything stays as it was. */
async function attempt(act: () => Promise<unknown> | void): Promise<void> {
  try {
    await act();
  } catch (error) {
    fail(error, () => void attempt(act));
  }
}

/** `again` repeats what failed. */
function fail(error: unknown, again?: () => void): void {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === SUPERSEDED) return;
  // Every call that waited for the worker fails; the loss is shown as one error, and not at all once there is a new
  // worker.
  if (code === WORKER_LOST) {
    if (!connection.lost.aborted) return;
    error = connection.lost.reason;
  }
  const fault = showFault(...remedied(error, again));
  if (isFinal(fault)) return void close();
  if (!opened) {
    transport.enter("failed");
    transport.wait("Could not start.");
    say("adapter", "no model yet");
  } else if (standing) transport.show(standing, opened);
}

/** The error to show, and what its button does. */
function remedied(error: unknown, again: (() => void) | undefined): Parameters<typeof showFault> {
  const code = error instanceof PageFault ? error.code : "";
  // Before there is a model, reloading the page loses nothing.
  const begin = code === PART_MISSING || (code === WORKER_LOST && !opened);
  if (begin) return [error, { label: "Reload the page", act: () => location.reload() }];
  if (code === WORKER_LOST) return restart(error as PageFault, saved, () => void attempt(startAgain));
  return [error, again && { act: again }];
}

async function press(button: Pressed): Promise<void> {
  hideFault();
  if (button === "reset") return open(form.settings, []);
  if (button === "play") announce("Training.");
  await connection.commands[button]();
}

async function open(settings: Settings, files: readonly File[]): Promise<void> {
  transport.wait(opened ? "Preparing the new model…" : "Looking for a GPU…");
  const { model } = settings;
  const next = await revived().open(settings, files);
  // If the data is still "files" and none were given, the previous files are used.
  if (settings.data !== "files") ownFiles = [];
  else if (files.length > 0) ownFiles = files;
  await present(next);
  announce(`A new model is ready: ${model}.`);
}

/** The worker has a new model. */
async function present(next: Opened, kept?: Saved): Promise<void> {
  opened = next;
  saved = kept;
  if (kept) showAutosave({ kind: "on", saved: kept });
  standing = next.standing;
  losses = new Losses(next.history);
  hideFault();
  live.show(next.settings);
  form.show(next.settings, next);
  form.trained = standing.steps > 0;
  showInAddress(form.settings);
  showModel(next);
  showLosses();
  transport.show(standing, next);
  for (const id of ["save", "load"]) find<HTMLButtonElement>(id).disabled = false;
  await (opening = openView(next, opening));
  document.body.dataset["shown"] = "true";
}

/** Views open one at a time, each replacing the one before; none opens for a model that has been replaced meanwhile. */
async function openView(next: Opened, before: Promise<View> | undefined): Promise<View> {
  await before?.catch(() => {});
  try {
    if (opened === next) return (view = await View.open(connection, next, view));
  } catch (error) {
    if (opened === next) throw error;
  }
  throw new PageFault("Cancelled", "Another model was opened meanwhile.", [], SUPERSEDED);
}

/** Calls the current model's view, even if it is still being opened. */
function whenOpen(act: (view: View) => Promise<void> | void): void {
  // If it cannot be opened, the code that opens it reports why.
  void opening?.then(act).catch(() => {});
}

function showLosses(): void {
  chart.show(losses.all);
  showFigures(losses.all);
  showWords(losses.all);
}

function hear(message: Told): void {
  if (message.type === "loading") {
    const { what, done, total } = message;
    const share = total === undefined ? "" : ` ${Math.round((100 * done) / total)}%`;
    transport.wait(`${what}…${share}`);
  } else if (message.type === "means") whenOpen((view) => view.setMeans(message));
  else if (message.type === "fault") fail(asError(message.fault));
  else if (message.type === "autosave") {
    saved = message.state.saved ?? saved;
    showAutosave(message.state);
    // This tab may save now. After a reload that can take a while, because the previous page still held the lock.
    if (message.state.kind === "on" && !message.state.saved && standing?.steps === 0) void attempt(offer);
  } else follow(message);
}

function follow({ standing: next, flopsPerStep, added, fault }: Extract<Told, { type: "standing" }>): void {
  if (!opened) return;
  const before = standing?.state;
  standing = next;
  for (const point of added.train) losses.addTrain(point);
  for (const point of added.test) losses.addTest(point);
  form.trained = next.steps > 0;
  transport.show(next, opened, flopsPerStep);
  showLosses();
  if (next.state === "running") {
    view?.consider();
    mention(() => `Epoch ${next.epochs + 1} of ${next.goal}. ${summary(losses.all)}`);
  } else {
    whenOpen((view) => view.draw());
    if (next.state !== before) announce(`${next.state === "done" ? "Done" : "Paused"}. ${summary(losses.all)}`);
  }
  if (fault) fail(asError(fault));
}

/** No WebGPU: a recorded run, so that there is something to see. */
async function close(): Promise<void> {
  transport.enter("closed");
  say("adapter", "no WebGPU here");
  show("recorded", true);
  const { showRecorded } = await part("recorded/show.js", import("./recorded/show.js"));
  await showRecorded(find("recording"));
}

async function dropped(files: readonly File[]): Promise<void> {
  const [file] = files;
  if (file && files.length === 1 && (await isModelFile(file))) await loadModel(file);
  else await form.useFiles(files);
}

async function loadModel(file: File): Promise<void> {
  await present(await connection.commands.load(file));
  announce("The model is loaded.");
}

/** Offers the model that an earlier visit left in the browser. */
async function offer(): Promise<void> {
  const kept = await connection.commands.kept();
  if (!kept || !opened) return;
  // If this fails, the offer stays.
  offerKept(kept, {
    continueIt: () =>
      void attempt(async () => {
        const restored = await revived().restore();
        show("kept", false);
        await present(restored, { at: kept.savedAt, steps: kept.steps });
      }),
    discard: () =>
      void attempt(async () => {
        await revived().discard();
        show("kept", false);
      }),
  });
}

function wire(): void {
  const onClick = (id: string, act: () => Promise<unknown> | void) =>
    find(id).addEventListener("click", () => void attempt(act));
  const title = () => opened?.data.name ?? "model";
  onClick("redraw", async () => (await opening)?.gallery.redraw());
  onClick("samples-png", async () => {
    const png = await (await opening)?.gallery.samplesPng();
    if (png) download(fileName(`${title()} samples`, "png"), png);
  });
  onClick("reconstructions-png", async () => {
    const png = await (await opening)?.gallery.reconstructionsPng();
    if (png) download(fileName(`${title()} reconstructions`, "png"), png);
  });
  onClick("save", async () => download(fileName(title(), "safetensors"), new Blob([await connection.commands.save()])));
  onClick("load", () => find("model-file").click());
  onClick("share", () => copyLink(form.settings));
  const chosen = find<HTMLInputElement>("model-file");
  chosen.addEventListener("change", () => {
    const [file] = chosen.files ?? [];
    if (file) void attempt(() => loadModel(file));
    chosen.value = "";
  });
  find("losses-details").addEventListener("toggle", () => showTable(losses.all));
  acceptDrops((files) => void attempt(() => dropped(files)));
  addEventListener("hashchange", () => void attempt(() => openAddress()));
  addEventListener("unhandledrejection", ({ reason }) => fail(reason));
  addEventListener("error", ({ error, message }) => {
    // A browser's notice, not an error: the observation is delivered in the next frame.
    if (!message.startsWith("ResizeObserver loop")) fail(error ?? message);
  });
}

/** Applies the settings in the address. Invalid ones are reported and skipped. */
async function openAddress(): Promise<void> {
  const { settings, refused } = fromHash(location.hash);
  live.show(settings);
  form.show(settings);
  await open(settings, []);
  if (refused.length > 0) {
    throw new PageFault("Some settings in this link are not valid", `${refused.join(". ")}.`, [
      "The default values are used instead.",
    ]);
  }
}

wire();
// From here on this script shows errors, not early.ts.
document.documentElement.dataset["started"] = "true";
performance.mark("interactive");
if (navigator.gpu as GPU | undefined) await attempt(() => openAddress());
else {
  // A worker would not have it either; the library would report the same.
  const message = "navigator.gpu is missing: this browser has no WebGPU, or the page is not on https or localhost.";
  fail(Object.assign(new Error(message), { name: "WebvaeError", code: "NO_WEBGPU" }));
}
await offer();
