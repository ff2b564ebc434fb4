// Runs on a page whose GPU process is crashed: repeats calls of every kind until one fails or the crash is over.
import { dense, VAE, WebvaeError, type ModelSpec } from "webvae";
import * as datasets from "webvae/datasets";

/** How a call that was under way when the GPU process crashed ended. */
export interface Ending {
  readonly call: string;
  /** The code of a WebvaeError; undefined for another error, or none. */
  readonly code?: string;
  /** The error's message. */
  readonly message?: string;
  /** The call neither succeeded nor failed. */
  readonly hangs?: true;
  /** Milliseconds since the page was notified of the crash. */
  readonly ms: number;
}

/** What can still be saved of a VAE whose device is lost. */
export interface Rescue {
  /** From training's error: the last copy. */
  readonly promised?: number;
  /** The file, in base64. */
  readonly file?: string;
  /** Why there is no file. */
  readonly refused?: { readonly code?: string; readonly message: string };
}

/** Milliseconds after which a wait counts as hanging. */
const HANGS = 60_000;

const spec: ModelSpec = {
  input: [28, 28, 1],
  encoder: [dense(16, { activation: "relu" })],
  latent: 4,
  decoder: [dense(784)],
  likelihood: "bernoulli",
};
const data = datasets.digits({ split: "train", count: 512, seed: 3 });
const few = datasets.take(data, 64);

/** Concurrent calls, by kind of case. */
type Calls = Readonly<Record<string, (vae: VAE) => Promise<unknown>>>;
const train = (vae: VAE) => vae.train(data, { epochs: 10_000, batchSize: 32, submitMs: 10 });
const kinds: Readonly<Record<string, Calls>> = {
  create: {
    create: () => VAE.create(spec, { tuning: false }).then((vae) => vae.dispose()),
    "create and train": () =>
      VAE.create(spec, { tuning: false }).then(async (vae) => {
        await vae.train(few, { steps: 1 });
        vae.dispose();
      }),
  },
  load: {
    load: async (vae) => (await VAE.load(await vae.save(), { tuning: false })).dispose(),
  },
  train: { train: async (vae) => train(vae) },
  "train, iterated": {
    train: async (vae) => {
      for await (const report of train(vae)) if (!Number.isFinite(report.elbo)) throw new Error("not finite");
    },
  },
  "train, and calls meanwhile": {
    train: async (vae) => train(vae),
    save: (vae) => vae.save({ trainingState: true }),
    sample: (vae) => vae.sample(10),
    elbo: (vae) => vae.elbo(few),
  },
  elbo: { elbo: (vae) => vae.elbo(data) },
  score: { score: (vae) => vae.score(data) },
  logLikelihood: { logLikelihood: (vae) => vae.logLikelihood(data) },
  save: { save: (vae) => vae.save({ trainingState: true }) },
  sample: { sample: (vae) => vae.sample(300), decode: (vae) => vae.decode(new Float32Array(40)) },
  reconstruct: { reconstruct: (vae) => vae.reconstruct(data), encode: (vae) => vae.encode(data) },
};

export const crashKinds: readonly string[] = Object.keys(kinds);

let crashedAt: number | undefined;
let pending: Promise<Ending[]> = Promise.resolve([]);
let held: VAE | undefined;
let lost: Promise<unknown> = Promise.resolve();

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Repeats calls until one fails, or one succeeds after the crash. */
async function ending(name: string, call: () => Promise<unknown>): Promise<Ending> {
  const ms = () => Math.round(performance.now() - (crashedAt ?? performance.now()));
  const again = async (): Promise<Ending> => {
    for (;;) {
      const over = crashedAt !== undefined;
      try {
        await call();
        if (over) return { call: name, ms: ms() };
      } catch (error) {
        const code = error instanceof WebvaeError ? { code: error.code } : {};
        return { call: name, ...code, message: String(error), ms: ms() };
      }
    }
  };
  const hangs = async (): Promise<Ending> => {
    while (crashedAt === undefined) await pause(100);
    await pause(HANGS);
    return { call: name, hangs: true, ms: ms() };
  };
  return Promise.race([again(), hangs()]);
}

/** Starts the calls of a kind, once there is a VAE that can be lost, on its own device or the page's. */
async function begin(kind: string, seed: number, owned: boolean): Promise<void> {
  let device: GPUDevice | undefined;
  if (!owned) device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  const vae = await VAE.create(spec, { seed, tuning: false, ...(device ? { device } : {}) });
  await vae.train(few, { steps: 2, batchSize: 32 });
  held = vae;
  lost = vae.gpuDevice.lost;
  crashedAt = undefined;
  pending = Promise.all(Object.entries(kinds[kind]!).map(([name, call]) => ending(name, () => call(vae))));
}

/** Tells the page that the crash has happened, and returns how all calls ended. */
async function endings(): Promise<Ending[]> {
  crashedAt = performance.now();
  // Each VAE loses its device, whether or not a call was under way.
  await Promise.race([lost, pause(HANGS)]);
  return pending;
}

async function rescue(messages: readonly string[]): Promise<Rescue> {
  const promised = messages
    .map((message) => /last copy of the model, made after (\d+) steps/.exec(message)?.[1])
    .find(Boolean);
  const said = promised === undefined ? {} : { promised: Number(promised) };
  try {
    const bytes = await held!.save({ trainingState: true });
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return { ...said, file: btoa(text) };
  } catch (error) {
    const code = error instanceof WebvaeError ? { code: error.code } : {};
    return { ...said, refused: { ...code, message: String(error) } };
  } finally {
    held?.dispose();
  }
}

/** Loads a file on a page in a healthy browser, and continues its training. */
async function revive(file: string): Promise<{ steps: number; elbo: number; more: number }> {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  const vae = await VAE.load(bytes, { tuning: false });
  const { steps } = vae.trained;
  const { elbo } = await vae.elbo(few);
  await vae.train(data, { steps: 3, batchSize: 32 });
  const more = vae.trained.steps - steps;
  vae.dispose();
  return { steps, elbo, more };
}

export const pageFunctions = { begin, endings, rescue, revive };
export type PageFunctions = typeof pageFunctions;
Object.assign(globalThis, { pageFunctions, crashKinds });
