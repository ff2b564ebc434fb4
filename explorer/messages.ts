// Messages between a page and its worker about a model. Each one has a `webvaeExplorer` field; other messages on the
// same port are ignored.
import type { ModelSpec } from "webvae";
import type { RGB } from "./model.js";

/** The calls: their arguments and results. */
export interface Calls {
  spec: { arguments: []; result: ModelSpec };
  encode: { arguments: [x: Float32Array]; result: { mean: Float32Array; logVariance: Float32Array } };
  decode: { arguments: [z: Float32Array]; result: Float32Array };
  reconstruct: { arguments: [x: Float32Array]; result: Float32Array };
  elbo: { arguments: [x: Float32Array]; result: number[] };
  surfaceAttach: { arguments: [surface: number, canvas: OffscreenCanvas]; result: void };
  surfaceDecode: { arguments: [surface: number, z: Float32Array, columns: number]; result: void };
  surfaceShow: { arguments: [surface: number, x: Float32Array, columns: number]; result: void };
  surfaceResize: { arguments: [surface: number, width: number, height: number]; result: void };
  surfaceColours: { arguments: [surface: number, low: RGB, high: RGB]; result: void };
  surfaceSnapshot: { arguments: [surface: number]; result: Blob };
  surfaceDispose: { arguments: [surface: number]; result: void };
}

export type CallName = keyof Calls;

export interface CallMessage {
  readonly webvaeExplorer: "call";
  /** Unique among all models on the same port. */
  readonly id: string;
  readonly name: CallName;
  readonly values: readonly unknown[];
}

export interface AnswerMessage {
  readonly webvaeExplorer: "answer";
  readonly id: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code?: string };
}

/** What both ends need from a port: a MessagePort, a Worker, or a worker's global scope. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  /** A MessagePort queues its messages until this is called. */
  start?(): void;
}

export function isMessage<Kind extends "call" | "answer">(
  data: unknown,
  kind: Kind,
): data is Kind extends "call" ? CallMessage : AnswerMessage {
  return typeof data === "object" && data !== null && "webvaeExplorer" in data && data.webvaeExplorer === kind;
}
