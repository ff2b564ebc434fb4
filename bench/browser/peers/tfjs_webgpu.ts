import "@tensorflow/tfjs-backend-webgpu";
import { openOn } from "./tfjs.js";
import type { OpenPeer } from "../protocol.js";

export const open: OpenPeer = (material) => openOn(material);
