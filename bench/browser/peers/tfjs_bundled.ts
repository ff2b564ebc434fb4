// tfjs with the backends included in its package: webgl and cpu.
import { openOn } from "./tfjs.js";
import type { OpenPeer } from "../protocol.js";

export const open: OpenPeer = (material) => openOn(material);
