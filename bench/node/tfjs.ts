// tfjs's webgpu backend in a process that outlives a case: each case gets a new backend with its own device, buffers
// and pipelines, as webvae does.
import * as tf from "@tensorflow/tfjs";
import { openOn } from "../browser/peers/tfjs.js";
import type { OpenPeer } from "../browser/protocol.js";

const BACKEND = "webgpu";

// Not a static import: the backend registers itself when it is loaded, and only if navigator.gpu already exists.
await import("@tensorflow/tfjs-backend-webgpu");
const factory = tf.findBackendFactory(BACKEND);

export const open: OpenPeer = async (material) => {
  if (!factory) throw new Error("tfjs's webgpu backend found no navigator.gpu when it was loaded");
  if (!tf.findBackendFactory(BACKEND)) tf.registerBackend(BACKEND, factory);
  const peer = await openOn(material);
  return {
    ...peer,
    dispose: () => {
      peer.dispose?.();
      tf.removeBackend(BACKEND);
    },
  };
};
