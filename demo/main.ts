// The page: its controls, and what it shows of a Session.
import type { TrainingReport } from "webvae";
import { LossChart, shortLoss, type Point } from "./chart.js";
import type { DigitSets } from "./digits_worker.js";
import { describeFault } from "./faults.js";
import { LATENT, SAMPLES, Session, type Position } from "./session.js";
import { TileSheet } from "./tiles.js";

/** In `loading` and `stopping` no button works; in `failed` only Reset does, in `closed` none ever will. */
type State = "loading" | "ready" | "running" | "stopping" | "paused" | "done" | "failed" | "closed";

const find = <T extends Element>(id: string) => document.getElementById(id) as unknown as T;
const [start, reset] = [find<HTMLButtonElement>("start"), find<HTMLButtonElement>("reset")];
const [epochs, rate] = [find<HTMLInputElement>("epochs"), find<HTMLInputElement>("rate")];
const progress = find<HTMLProgressElement>("progress");
const say = (id: string, text: string) => (find<HTMLElement>(id).textContent = text);

const chart = new LossChart(find("chart"));
const samples = new TileSheet(find("samples"), 8, SAMPLES / 8);
const pairs = new TileSheet(find("reconstructions"), 10, 2);

let state: State = "loading";
let session: Session | undefined;
let stop = new AbortController();
let running: Promise<void> = Promise.resolve();
/** Epochs at which the run ends. */
let goal = 0;

function enter(next: State): void {
  state = next;
  document.body.dataset["state"] = next;
  const free = ["ready", "paused", "done"].includes(next);
  start.disabled = !free && next !== "running";
  reset.disabled = !free && !["running", "failed"].includes(next);
  for (const input of [epochs, rate]) input.disabled = !free;
  const paused = next === "paused" || next === "stopping";
  const more = `Train ${epochs.value} more`;
  start.textContent = next === "running" ? "Pause" : paused ? "Continue" : next === "done" ? more : "Start training";
}

/** Data once, then a model with new weights. */
async function open(sets: Promise<DigitSets>): Promise<void> {
  enter("loading");
  find<HTMLElement>("fault").hidden = true;
  say("position", "Drawing the training set…");
  const { train, test } = await sets;
  say("position", "Looking for a GPU…");
  session = await Session.create({ train, test });
  const { vae } = session;
  say("adapter", vae.adapter.name);
  find<HTMLElement>("software").hidden = !vae.adapter.software;
  const { parameters } = vae.memory();
  const facts = [
    `Model: mlp, 784 – 400 – ${LATENT} – 400 – 784, ${parameters.toLocaleString("en")} parameters.`,
    `Data: ${train.count.toLocaleString("en")} digits drawn by this page for training, and ${test.count.toLocaleString("en")} others for the test.`,
    "Nothing leaves this machine.",
  ];
  say("facts", facts.join(" "));
  goal = 0;
  progress.value = 0;
  showLosses();
  await showPictures(session);
  say("position", "Ready: the model knows nothing yet.");
  say("status", "Ready to train.");
  enter("ready");
}

async function train(current: Session): Promise<void> {
  const done = Math.floor(current.epochs);
  const more = state === "done" ? done + epochs.valueAsNumber : epochs.valueAsNumber;
  goal = Math.max(more, done + 1);
  stop = new AbortController();
  enter("running");
  find<HTMLElement>("fault").hidden = true;
  say("position", "Preparing the GPU…");
  say("status", "Training.");
  await current.run(goal, rate.valueAsNumber, stop.signal, (position, report) => onReport(current, position, report));
  await showPictures(current);
  const stopped = current.epochs < goal;
  progress.value = current.epochs / goal;
  const text = stopped
    ? `Paused in epoch ${Math.floor(current.epochs) + 1} of ${goal}.`
    : `Done: ${goal} ${goal === 1 ? "epoch" : "epochs"}.`;
  say("position", text);
  say("status", text);
  enter(stopped ? "paused" : "done");
}

function onReport(current: Session, { epoch, step, stepsPerEpoch }: Position, report: TrainingReport): void {
  if (state === "running") say("position", `Epoch ${epoch} of ${goal}, step ${step} of ${stepsPerEpoch}`);
  progress.value = current.epochs / goal;
  showLosses();
  const { test } = report.epochEnd ?? {};
  if (test) {
    say("status", `Epoch ${epoch} of ${goal}: test −ELBO ${shortLoss(-test.elbo)} nats.`);
    const range = `from ${shortLoss(current.train[0]!.loss, 0)} to ${shortLoss(current.train.at(-1)!.loss)} nats`;
    const described = `Loss over ${epoch} ${epoch === 1 ? "epoch" : "epochs"}: training ${range}, test ${shortLoss(-test.elbo)}`;
    find<SVGSVGElement>("chart").setAttribute("aria-label", described);
  }
  void showPicturesNowAndThen(current);
}

function showLosses(): void {
  const { train = [], test = [], stepsPerSecond, seconds = 0 } = session ?? {};
  chart.show({ train, test, epochs: Math.max(goal || epochs.valueAsNumber || 10, train.at(-1)?.epoch ?? 0) });
  const last = (points: readonly Point[]) => (points.length > 0 ? shortLoss(points.at(-1)!.loss) : "–");
  say("train-loss", last(train));
  say("test-loss", last(test));
  say("speed", stepsPerSecond?.toFixed(stepsPerSecond < 10 ? 1 : 0) ?? "–");
  say("time", train.length === 0 ? "–" : seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds));
}

const clock = (seconds: number) => `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;

async function showPictures(current: Session): Promise<void> {
  const images = await current.pictures();
  if (session !== current) return;
  samples.show({ images: images.samples, columns: 8 });
  pairs.show({ images: images.pairs, columns: 10 });
}

let drawing = false;
let drawAgainAt = 0;

/** Pictures while it trains: at most four times a second, and for at most an eighth of the time. */
async function showPicturesNowAndThen(current: Session): Promise<void> {
  const began = performance.now();
  if (drawing || began < drawAgainAt) return;
  drawing = true;
  try {
    await showPictures(current);
  } catch {
    // The run fails with the same cause, and says so.
  } finally {
    drawing = false;
    const now = performance.now();
    drawAgainAt = now + Math.max(250, 7 * (now - began));
  }
}

function showFault(error: unknown): void {
  const { title, message, hints, code, final } = describeFault(error);
  say("fault-title", title);
  say("fault-message", message);
  say("fault-code", code);
  const items = hints.map((hint) => Object.assign(document.createElement("li"), { textContent: hint }));
  find("fault-hints").replaceChildren(...items);
  find<HTMLElement>("fault").hidden = false;
  say("position", final ? "Training needs WebGPU." : "Stopped.");
  if (!session) say("adapter", "none");
  // After a loss that is no number the weights are good, and another learning rate may do.
  enter(final ? "closed" : code === "NON_FINITE" ? "paused" : "failed");
}

function drawDigits(): Promise<DigitSets> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("digits_worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<DigitSets>) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = ({ message }) => reject(new Error(`the training set could not be drawn: ${message}`));
  });
}

find<HTMLFormElement>("controls").addEventListener("submit", (event) => {
  event.preventDefault();
  if (state === "running") {
    enter("stopping");
    stop.abort();
  } else if (session) running = train(session).catch(showFault);
});

reset.addEventListener("click", () => {
  stop.abort();
  enter("stopping");
  const again = async () => {
    await running;
    session?.vae.dispose();
    session = undefined;
    await open(sets);
  };
  running = again().catch(showFault);
});

epochs.addEventListener("input", () => {
  if (state === "done") enter("done");
  else if (state === "ready") showLosses();
});
window.addEventListener("unhandledrejection", ({ reason }) => showFault(reason));
window.addEventListener("error", ({ error, message }) => showFault(error ?? message));

const sets = drawDigits();
running = open(sets).catch(showFault);
