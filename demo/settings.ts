// What a visitor can set, the valid ranges, and its form in the page's address, which is always checked.

export const dataIds = ["digits", "mnist", "fashion-mnist", "gaussians", "sprites"] as const;
export type DataId = (typeof dataIds)[number];
export const modelKinds = ["mlp", "conv", "custom"] as const;
export type ModelKind = (typeof modelKinds)[number];

/** What can be changed while the model trains. */
export interface Live {
  readonly learningRate: number;
  /** Weight of the KL term. */
  readonly beta: number;
  /** Factor on the noise in the reparameterization. */
  readonly noise: number;
}

export interface Settings extends Live {
  /** "files": the visitor's own, which no address can carry. */
  readonly data: DataId | "files";
  readonly model: ModelKind;
  readonly latent: number;
  /** The text of a ModelSpec, if `model` is "custom". */
  readonly spec: string;
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
}

export const defaults: Settings = {
  data: "digits",
  model: "mlp",
  latent: 2,
  spec: "",
  batch: 128,
  epochs: 20,
  seed: 1,
  learningRate: 1e-3,
  beta: 1,
  noise: 1,
};

interface Range {
  readonly key: string;
  readonly low: number;
  readonly high: number;
  readonly whole: boolean;
}
export type NumberName = "latent" | "batch" | "epochs" | "seed" | keyof Live;

/** Keyed by name in Settings; `key` is the name in the address. */
export const ranges: Readonly<Record<NumberName, Range>> = {
  latent: { key: "latent", low: 1, high: 256, whole: true },
  batch: { key: "batch", low: 1, high: 1024, whole: true },
  epochs: { key: "epochs", low: 1, high: 9999, whole: true },
  seed: { key: "seed", low: 0, high: 999_999_999, whole: true },
  learningRate: { key: "lr", low: 1e-6, high: 1, whole: false },
  beta: { key: "beta", low: 0, high: 100, whole: false },
  noise: { key: "noise", low: 0, high: 4, whole: false },
};
const numberNames = Object.keys(ranges) as NumberName[];

/** The most characters of a spec's text: nobody types a longer one by hand. */
export const LONGEST_SPEC = 20_000;

/** Why `text` is not valid for the setting `name`; undefined if it is. */
export function numberFault(name: NumberName, text: string): string | undefined {
  const { low, high, whole } = ranges[name];
  const written = whole ? /^\d{1,12}$/ : /^(\d{1,12}(\.\d{0,12})?|\.\d{1,12})(e[+-]?\d{1,2})?$/i;
  const value = Number(text);
  if (written.test(text) && value >= low && value <= high) return undefined;
  return `must be a ${whole ? "whole number" : "number"} from ${low} to ${high}`;
}

export interface Address {
  readonly settings: Settings;
  /** The settings in the address that were rejected, in words. */
  readonly refused: readonly string[];
}

/** The defaults overridden by the settings in a hash ("#data=mnist&latent=8"). */
export function fromHash(hash: string): Address {
  const refused: string[] = [];
  const found: Record<string, unknown> = {};
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const names = new Map<string, NumberName>(numberNames.map((name) => [ranges[name].key, name]));
  for (const [key, text] of asked) {
    const refuse = (why: string) => refused.push(`${clip(key)}=${clip(text)}: ${why}`);
    const name = names.get(key);
    if (name) {
      const fault = numberFault(name, text);
      if (fault) refuse(fault);
      else found[name] = Number(text);
    } else if (key === "data") {
      if (dataIds.some((id) => id === text)) found["data"] = text;
      else refuse(`must be one of ${dataIds.join(", ")}`);
    } else if (key === "model") {
      if (modelKinds.some((kind) => kind === text)) found["model"] = text;
      else refuse(`must be one of ${modelKinds.join(", ")}`);
    } else if (key === "spec") {
      if (text.length <= LONGEST_SPEC) found["spec"] = text;
      else refuse(`must be at most ${LONGEST_SPEC} characters long`);
    } else refuse("no such setting");
  }
  if (found["model"] === "custom" && !found["spec"]) {
    refused.push("model=custom: the link does not contain the model itself (spec=)");
    delete found["model"];
  }
  return { settings: { ...defaults, ...found }, refused };
}

/** The settings that differ from the defaults, as a hash; "" if none do. */
export function toHash(settings: Settings): string {
  const asked = new URLSearchParams();
  if (settings.data !== defaults.data && settings.data !== "files") asked.set("data", settings.data);
  if (settings.model !== defaults.model) asked.set("model", settings.model);
  for (const name of numberNames) {
    if (settings[name] !== defaults[name]) asked.set(ranges[name].key, String(settings[name]));
  }
  if (settings.model === "custom") asked.set("spec", settings.spec);
  const text = asked.toString();
  return text && `#${text}`;
}

const clip = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
