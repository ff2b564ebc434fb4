// Standard normal numbers, the same for the same seed; seeds that follow each other give unrelated numbers.
import { normals as drawn } from "../../explorer/normals.js";

export const normals = (count: number, seed: number): Float32Array => drawn(count, Math.imul(seed, 0x9e3779b1));
