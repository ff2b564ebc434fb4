// Finds errors in a plan by following its dispatches one by one: who last wrote the memory that a tensor is read from,
// and whether WebGPU accepts the bindings.
import type { Place, Plan, Shaders } from "../../src/plan.js";

/** The storage buffers that a shader may bind by default. */
const STORAGE_BUFFERS = 8;
/** Bindings start at multiples of this. */
const ALIGNMENT = 256;

const overlap = (a: Place, b: Place) =>
  a.buffer === b.buffer && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;

export function planFaults({ plan, shaders }: { plan: Plan; shaders: Shaders }): string[] {
  const faults: string[] = [];
  /** The tensors whose values are in the slots, unless overwritten. */
  const held = new Map<string, Place>();
  plan.nodes.forEach((node, index) => {
    const { label, shader, entryPoint, bindings } = plan.dispatches[index]!;
    for (const { name, role } of Object.values(node.inputs)) {
      if (role === "activation" && !held.has(name)) faults.push(`${label} reads ${name}, which is not there any more`);
    }
    for (const { name, role } of Object.values(node.outputs)) {
      if (role !== "activation") continue;
      const place = plan.places[name]!;
      for (const [other, there] of held) if (overlap(place, there)) held.delete(other);
      held.set(name, place);
    }
    const { bindings: declared } = shaders.get(shader)!;
    const places = (access: string) =>
      Object.entries(bindings).flatMap(([key, place]) => (place && declared[key]!.access === access ? [place] : []));
    const read = new Set(places("read").map(({ buffer }) => buffer));
    const write = places("read_write");
    for (const { buffer } of write) if (read.has(buffer)) faults.push(`${label} both reads and writes ${buffer}`);
    if (write.some((a, i) => write.slice(i + 1).some((b) => overlap(a, b)))) faults.push(`${label} writes twice there`);
    const bound = Object.keys(bindings).length;
    for (const place of Object.values(bindings)) {
      if (place && place.offset % ALIGNMENT !== 0) faults.push(`${label} binds ${place.buffer} at ${place.offset}`);
    }
    if (bound > STORAGE_BUFFERS) faults.push(`${entryPoint} binds ${bound} buffers`);
    for (const { name, storage } of [...Object.values(node.inputs), ...Object.values(node.outputs)]) {
      const place = plan.places[name]!;
      const bytes = (place.half ? 2 : 4) * storage.reduce((product, n) => product * n, 1);
      if (place.bytes < bytes || place.offset + place.bytes > plan.buffers[place.buffer]!.bytes) {
        faults.push(`${label}: ${name} of ${bytes} bytes doesn't fit its place in ${place.buffer}`);
      }
    }
  });
  return faults;
}
