// Every public call with nonsensical values: as the first argument, as all options, as each option, inherited instead
// of own, and many at once. Each call must succeed, or fail with a code before anything is allocated, and the VAE must
// be usable afterwards.
import fc from "fast-check";
import { Device } from "../../src/device.js";
import { type ErrorCode } from "../../src/errors.js";
import { VAE } from "../../src/index.js";
import { open } from "../support/gpu.js";
import { doors, type Door, type Place } from "./doors.js";
import { errorOf, errorWithin, isTyped, textOf } from "./errors.js";
import { hooked } from "./gpu_calls.js";
import { create, data, savedOn } from "./vae_calls.js";
import { wildValues } from "./wild_values.js";

export interface OptionsWalk {
  readonly name: string;
  runs: number;
  /** How many of `runs` succeeded; a walk in which all do, or none, has tested nothing. */
  accepted: number;
  readonly untyped: string[];
  /** Rejected, but after buffers were created, or with buffers left over. */
  readonly allocated: string[];
  /** The VAE was unusable afterwards. */
  readonly unusable: string[];
  /** Took longer than a second of CPU time, or did not end. */
  readonly slow: string[];
  /** Inherited options that counted, unhandled rejections, and errors about something else. */
  readonly wrong: string[];
}

export interface OptionsOptions {
  /** Cases: first one for each place and value, then combinations. */
  readonly count: number;
  /** Runs one in this many of the single ones. */
  readonly every: number;
  readonly seed: number;
}

const LONGEST_MS = 1000;
const HANGS_MS = 20_000;

/** Error codes that any call may give for any value. */
const refusals: readonly ErrorCode[] = ["INVALID_SPEC", "INVALID_OPTION", "INVALID_DATA", "INVALID_FILE"];
const others: readonly ErrorCode[] = [
  ...(["SPEC_MISMATCH", "NO_WEBGPU", "NO_ADAPTER", "UNSUPPORTED", "LIMIT_EXCEEDED", "DOWNLOAD_FAILED"] as const),
];

/** The values of a case: names of wild values, or valid ones. */
interface Case {
  readonly door: string;
  /** Replaces the first argument. */
  readonly first?: string;
  /** Replaces all options. */
  readonly whole?: string;
  readonly own: Readonly<Record<string, string>>;
  readonly inherited: readonly string[];
}

const RIGHT = "what is right";
const textOfCase = ({ door, first, whole, own, inherited }: Case) =>
  [
    door,
    ...(first ? [`first ${first}`] : []),
    ...(whole ? [`options ${whole}`] : []),
    ...Object.entries(own).map(([key, name]) => `${key}: ${name}`),
    ...(inherited.length > 0 ? [`inherited ${inherited.join()}`] : []),
  ].join("; ");

/** One for each door, place and value. */
function* singles(place: Place): Generator<Case> {
  const values = Object.keys(wildValues);
  for (const [door, { first, options, inherits }] of Object.entries(doors)) {
    yield { door, own: {}, inherited: [] };
    const keys = Object.keys(options?.(place) ?? {});
    for (const name of values) {
      if (first) yield { door, first: name, own: {}, inherited: [] };
      if (options) yield { door, whole: name, own: {}, inherited: [] };
      for (const key of keys) yield { door, own: { [key]: name }, inherited: [] };
    }
    for (const key of keys) {
      yield { door, own: { [key]: RIGHT }, inherited: [] };
      if (!inherits) yield { door, own: {}, inherited: [key] };
    }
  }
}

/** Any number of options at once, with valid, wild and inherited values. */
function combinations(place: Place): fc.Arbitrary<Case> {
  const wild = fc.constantFrom(...Object.keys(wildValues));
  const value = fc.oneof({ arbitrary: fc.constant(RIGHT), weight: 3 }, { arbitrary: wild, weight: 1 });
  const of = ([door, { first, options, inherits }]: [string, Door]): fc.Arbitrary<Case> => {
    const keys = Object.keys(options?.(place) ?? {});
    const own = Object.fromEntries(keys.map((key) => [key, fc.option(value, { nil: undefined })]));
    return fc.record({
      door: fc.constant(door),
      own: fc
        .record(own)
        .map((all) => Object.fromEntries(Object.entries(all).filter(([, name]) => name)) as Record<string, string>),
      inherited: inherits ? fc.constant([]) : fc.subarray(keys, { maxLength: Math.min(2, keys.length) }),
      ...(first
        ? { first: fc.oneof({ arbitrary: fc.constant(RIGHT), weight: 4 }, { arbitrary: wild, weight: 1 }) }
        : {}),
    });
  };
  return fc.oneof(...Object.entries(doors).map(of));
}

function* sampled<T>(all: Iterable<T>, every: number, seed: number): Generator<T> {
  let i = seed;
  for (const one of all) if (i++ % every === 0) yield one;
}

/** A case's options; `read` is called when an inherited one is read. */
function optionsOf(
  { whole, own, inherited }: Case,
  { options, always = [] }: Door,
  place: Place,
  read: (key: string) => void,
) {
  if (whole) return wildValues[whole]!();
  if (!options) return undefined;
  const right = options(place);
  const prototype: object = {};
  for (const key of inherited) {
    Object.defineProperty(prototype, key, {
      enumerable: true,
      get: () => {
        read(key);
        return right[key];
      },
    });
  }
  const given = (inherited.length > 0 ? Object.create(prototype) : {}) as Record<string, unknown>;
  for (const key of always) if (!inherited.includes(key)) given[key] = right[key];
  for (const [key, name] of Object.entries(own)) {
    // An own one would hide the inherited one.
    if (inherited.includes(key)) continue;
    Object.defineProperty(given, key, {
      ...{ configurable: true, enumerable: true, writable: true },
      value: name === RIGHT ? right[key] : wildValues[name]!(),
    });
  }
  return given;
}

class Walker {
  readonly walk: OptionsWalk = {
    ...{ name: "wild options", runs: 0, accepted: 0 },
    ...{ untyped: [], allocated: [], unusable: [], slow: [], wrong: [] },
  };
  #created = 0;
  #rejections: unknown[] = [];
  private constructor(
    private readonly device: GPUDevice,
    private readonly view: Device,
    private readonly saved: Uint8Array,
    private vae: VAE,
    private controller = new AbortController(),
  ) {}

  static async open(): Promise<Walker> {
    const device = await open({ backend: "null" });
    const saved = await savedOn(device);
    const made = { count: () => {} };
    hooked(device, (name, use) => {
      if (name === "createBuffer") made.count();
      return use();
    });
    const walker = new Walker(device, await Device.open({ device }), saved, await create({ device }));
    made.count = () => walker.#created++;
    return walker;
  }

  get place(): Place {
    return { device: this.device, vae: this.vae, signal: this.controller.signal, saved: this.saved };
  }

  async run(all: Iterable<Case>): Promise<void> {
    const hear = (reason: unknown) => void this.#rejections.push(reason);
    process.on("unhandledRejection", hear);
    // From a timer that cannot be so long and fires at once.
    process.on("warning", hear);
    // No case contacts a host: one that gets that far fails there.
    const { fetch } = globalThis;
    globalThis.fetch = () => Promise.reject(new Error("there is no network"));
    try {
      for (const one of all) await this.#one(one);
    } finally {
      process.off("unhandledRejection", hear);
      process.off("warning", hear);
      globalThis.fetch = fetch;
    }
  }

  async #one(one: Case): Promise<void> {
    const { walk, view } = this;
    const door = doors[one.door]!;
    const wild = [one.whole, one.first, ...Object.values(one.own)];
    if (wild.some((name) => door.fair?.includes(name ?? ""))) return;
    const what = textOfCase(one);
    const read = new Set<string>();
    const { place } = this;
    const first = one.first && one.first !== RIGHT ? wildValues[one.first]!() : door.first?.(place);
    const options = optionsOf(one, door, place, (key) => read.add(key));
    const before = view.allocated.buffers;
    this.#created = 0;
    const cpu = process.cpuUsage();
    const ended = Promise.resolve().then(() => door.call(place, first, options));
    const error = await errorWithin(HANGS_MS, ended);
    const { user, system } = process.cpuUsage(cpu);
    const ms = (user + system) / 1000;
    walk.runs++;
    if (error === "hangs") {
      walk.slow.push(`${what}: no end within ${HANGS_MS} ms`);
      return this.#anew();
    }
    if (ms > LONGEST_MS) walk.slow.push(`${what}: ${ms.toFixed(0)} ms`);
    if (error === undefined) {
      walk.accepted++;
      if (read.size > 0) walk.wrong.push(`${what}: what is inherited was read: ${[...read].join()}`);
    } else if (!isTyped(error)) {
      if (!isOwn(error)) walk.untyped.push(`${what}: ${textOf(error)}`);
    } else if (refusals.includes(error.code)) {
      if (this.#created > 0 && !wild.some((name) => name?.includes("function"))) {
        walk.allocated.push(`${what}: ${this.#created} buffers were made before ${error.message.slice(0, 200)}`);
      }
    } else if (!others.includes(error.code)) {
      walk.wrong.push(`${what}: ${error.code} ${error.message.slice(0, 300)}`);
    }
    await this.#check(what, error === undefined ? Infinity : before);
  }

  /** It still trains and samples, and rejected calls left nothing behind. */
  async #check(what: string, buffers: number): Promise<void> {
    const { walk, vae } = this;
    await new Promise((done) => setTimeout(done));
    for (const reason of this.#rejections.splice(0)) walk.wrong.push(`${what}: unheard ${textOf(reason)}`);
    if (this.view.allocated.buffers > buffers) {
      await new Promise((done) => setTimeout(done, 50));
      const more = this.view.allocated.buffers - buffers;
      if (more > 0) walk.allocated.push(`${what}: ${more} buffers are left`);
    }
    const failed = (await errorOf(vae.sample(1))) ?? (walk.runs % 10 === 0 ? await errorOf(train(vae)) : undefined);
    if (failed) {
      walk.unusable.push(`${what}: ${textOf(failed)}`);
      await this.#anew();
    }
  }

  async #anew(): Promise<void> {
    this.controller.abort();
    this.controller = new AbortController();
    this.vae.dispose();
    this.vae = await create({ device: this.device });
  }

  async close(): Promise<void> {
    this.vae.dispose();
    await new Promise((done) => setTimeout(done, 50));
    const { buffers } = this.view.allocated;
    if (buffers > 0) this.walk.allocated.push(`${buffers} buffers after all was disposed of`);
    this.device.destroy();
  }
}

const train = async (vae: VAE) => void (await vae.train(data, { steps: 1, batchSize: 32 }));

/** Errors from a caller's function are the caller's, but only from calling a schedule. */
const isOwn = (error: unknown) =>
  error instanceof Error &&
  (error.message === "a schedule of the caller threw" || /^\s+at scheduled \(/m.test(error.stack ?? ""));

/** The same seed gives the same cases. */
export async function walkOptions({ count, every, seed }: OptionsOptions): Promise<OptionsWalk> {
  const walker = await Walker.open();
  await walker.run(sampled(singles(walker.place), every, seed));
  const rest = Math.max(0, count - walker.walk.runs);
  await walker.run(rest > 0 ? fc.sample(combinations(walker.place), { numRuns: rest, seed }) : []);
  await walker.close();
  return walker.walk;
}
