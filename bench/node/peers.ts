// The peers in Node: webvae in single and half precision, and tfjs on WebGPU.
import { WEBVAE, knownPeers, type KnownPeer } from "../browser/peers.js";
import type { OpenPeer } from "../browser/protocol.js";

export interface NodePeer {
  readonly known: KnownPeer;
  readonly precision: "f32" | "f16";
  /** Call only once navigator.gpu exists. */
  load(): Promise<OpenPeer>;
}

const loadWebvae = async () => (await import("../browser/peers/webvae.js")).open;

export const webvae: NodePeer = { known: WEBVAE, precision: "f32", load: loadWebvae };

export const webvaeHalf: NodePeer = {
  // f16 has 11 bits, and a model's loss is a sum over pixels with similar errors.
  known: { ...WEBVAE, name: "webvae-f16", tolerance: 1e-2 },
  precision: "f16",
  load: loadWebvae,
};

export const tfjs: NodePeer = {
  known: knownPeers.find(({ name }) => name === "tfjs-webgpu")!,
  precision: "f32",
  load: async () => (await import("./tfjs.js")).open,
};

export const nodePeers: Readonly<Record<string, NodePeer>> = {
  [webvaeHalf.known.name]: webvaeHalf,
  [tfjs.known.name]: tfjs,
};
