// tfjs with the backends that its package brings: webgl and cpu.
import { openOn } from "./tfjs.js";
import type { OpenPeer } from "../protocol.js";

export const open: OpenPeer = (material) => openOn(material);
