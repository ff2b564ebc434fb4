// The training worker: holds one model and its data at a time, and answers the page's commands (protocol.ts).
import { VAE, WebvaeError } from "webvae";
import { serveModel } from "webvae/explorer";
import { specFor } from "./architecture.js";
import { answerPage, type Handlers } from "./calls.js";
import type { Loaded } from "./data/loaded.js";
import { describeFault, PageFault, SUPERSEDED, type Fault } from "./faults.js";
import { prepareFlops, stepFlops } from "./flops.js";
import type { Opened, Told } from "./protocol.js";
import type { Settings } from "./settings.js";
import { fetchAhead } from "./training/ahead.js";
import { Autosave } from "./training/autosave.js";
import { rowsAt, varied } from "./training/examples.js";
import { Keeper } from "./training/keeper.js";
import { Losses } from "./losses.js";
import { Means } from "./training/means.js";
import { checkFit, checkSpec, dataFor, Devices, newModel, withFewer } from "./training/opening.js";
import { Trainer } from "./training/trainer.js";

/** Minimum time between messages to the page, since reports come with every submit. */
const TELL_EVERY_MS = 100;
/** Test examples for reconstructions and the explorer's pictures; points are small. */
const EXAMPLES = { images: 40, points: 600 };

let tell: (message: Told) => void = () => {};
const devices = new Devices();
const autosave = new Autosave((state) => tell({ type: "autosave", state }));
const keeper = new Keeper(autosave);
let current: { trainer: Trainer; means: Means; stopServing: (() => void)[] } | undefined;
let toldAt = 0;
/** Cancels loading the data that was requested last. */
let loading = new AbortController();

const handlers: Handlers = {
  open: (settings, files) => {
    // A new request does not wait for the old one's download.
    loading.abort(new PageFault("Cancelled", "Other settings were requested meanwhile.", [], SUPERSEDED));
    const { signal } = (loading = new AbortController());
    return inTurn(async () => {
      const had = current?.trainer.loaded;
      const same = had && files.length === 0 && settings.data === current?.trainer.settings.data;
      const loaded = same ? had : await dataFor(settings, files, { onProgress: progress, signal });
      signal.throwIfAborted();
      const fitting = settings.data === "files" ? withFewer(settings, loaded) : settings;
      return replace(await newModel(fitting, loaded, devices), loaded, fitting);
    });
  },
  load: (file) =>
    inTurn(async () => {
      const { loaded, settings } = present();
      const vae = await VAE.load(await file.arrayBuffer(), { device: await devices.device() });
      return fitted(vae, loaded, settings);
    }),
  check: async (settings) => {
    try {
      await checkSpec(specFor(settings, present().loaded.shape));
      return undefined;
    } catch (error) {
      return describeFault(error);
    }
  },
  play: () => present().play(),
  pause: () => present().pause(),
  step: () => inTurn(() => present().step()),
  live: (values) => void (present().live = values),
  goal: (epochs) => void (present().goal = epochs),
  save: async () => {
    const trainer = present();
    trainer.gate.hold("save");
    try {
      return await trainer.vae.save({ trainingState: true });
    } finally {
      trainer.gate.release("save");
    }
  },
  connect: (port) => {
    const { trainer, means, stopServing } = current!;
    const holder = {};
    let pictures = 0;
    const before = () => {
      if (pictures++ === 0) trainer.gate.hold(holder);
      return Promise.resolve();
    };
    const after = () => {
      if (--pictures === 0) trainer.gate.release(holder);
    };
    stopServing.push(serveModel(() => trainer.vae, port, { before, after }));
    // Not earlier: the page would take them for the means of the model that it still shows.
    void means.consider(true);
  },
  kept: () => autosave.kept(),
  restore: (files = []) =>
    inTurn(async () => {
      const { settings, history, model } = await autosave.read();
      const had = current?.trainer;
      const own = settings.data === "files" ? files : [];
      const loaded =
        had?.settings.data === settings.data ? had.loaded : await dataFor(settings, own, { onProgress: progress });
      const vae = await VAE.load(model, { device: await devices.device() });
      return fitted(vae, loaded, settings, new Losses(history));
    }),
  discard: () => autosave.discard(),
};

function present(): Trainer {
  if (!current) throw new PageFault("There is no model yet", "The page is still loading, or could not start.", []);
  return current.trainer;
}

const progress = (done: number, total: number | undefined, what: string) =>
  tell({ type: "loading", what, done, total });

/** Operations that change the model run one after the other. */
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const result = turn.then(act);
  turn = result.catch(() => {});
  return result;
}

/** Like `replace`, for a model from a file: settings that the file contains override the given ones. */
async function fitted(vae: VAE, loaded: Loaded, settings: Settings, losses?: Losses): Promise<Opened> {
  try {
    checkFit(vae.spec, loaded, settings);
  } catch (error) {
    vae.dispose();
    throw error;
  }
  return replace(vae, loaded, { ...settings, ...describedBy(vae, loaded, settings) }, losses);
}

/** The page's settings that produce a model's spec. */
function describedBy({ spec }: VAE, loaded: Loaded, settings: Settings): Pick<Settings, "model" | "latent" | "spec"> {
  const wanted = (["mlp", "conv"] as const).find((model) => {
    try {
      const made = specFor({ model, latent: spec.latent, spec: "" }, loaded.shape);
      return JSON.stringify(sorted(made)) === JSON.stringify(sorted(spec));
    } catch {
      return false;
    }
  });
  const { latent } = spec;
  if (wanted) return { model: wanted, latent, spec: settings.spec };
  return { model: "custom", latent, spec: JSON.stringify(spec) };
}

/** With all keys sorted. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function replace(vae: VAE, loaded: Loaded, settings: Settings, losses?: Losses): Promise<Opened> {
  const before = current;
  const trainer = new Trainer(vae, loaded, settings, (fault) => changed(trainer, fault), losses);
  const means = new Means(trainer, (message) => void (current?.trainer === trainer && tell(message)));
  current = { trainer, means, stopServing: [] };
  keeper.forget();
  for (const stop of before?.stopServing ?? []) stop();
  await before?.trainer.dispose();
  // If nothing is running, nothing else would report it.
  void vae.gpuDevice.lost.then(({ message }) => {
    if (current?.trainer === trainer)
      trainer.fail(new WebvaeError("DEVICE_LOST", `the GPU device was lost: ${message}`));
  });
  return opened(trainer);
}

function opened({ vae, loaded, settings, standing, losses, stepsPerEpoch }: Trainer): Opened {
  const { train, test, name, kind, shape, labelNames, notes } = loaded;
  const chosen = varied(test, EXAMPLES[kind]);
  const exampleLabels = test.labels && Uint8Array.from(chosen, (index) => test.labels![index]!);
  losses.takeAdded();
  return {
    settings,
    adapter: vae.adapter,
    spec: vae.spec,
    parameters: vae.memory().parameters,
    data: {
      name,
      kind,
      shape,
      train: train.count,
      test: test.count,
      ...(labelNames ? { labelNames } : {}),
      notes,
      examples: rowsAt(test, chosen),
      ...(exampleLabels ? { exampleLabels } : {}),
    },
    stepsPerEpoch,
    standing,
    history: losses.all,
  };
}

function changed(trainer: Trainer, fault?: Fault): void {
  if (current?.trainer !== trainer) return;
  const { standing, losses, loaded, vae, settings } = trainer;
  const running = standing.state === "running";
  void current.means.consider(trainer.still);
  void keeper.consider(trainer, `${loaded.name}, ${settings.model}`, trainer.still);
  const now = performance.now();
  if (running && now - toldAt < TELL_EVERY_MS) return;
  toldAt = now;
  const flopsPerStep = stepFlops(vae.spec, settings.batch);
  tell({ type: "standing", standing, flopsPerStep, added: losses.takeAdded(), ...(fault ? { fault } : {}) });
}

// The page's "error" listener gets errors that are thrown, but not rejections.
addEventListener("unhandledrejection", ({ reason }) => tell({ type: "fault", fault: describeFault(reason) }));
tell = answerPage(globalThis as unknown as Worker, handlers);
void fetchAhead();
void prepareFlops();
