// What is wrong with a plan, by following its dispatches one by one: who wrote last where a tensor is read, and
// whether WebGPU takes the bindings.
import type { Graph } from "../../src/graph.js";
import type { Plan, Shaders } from "../../src/plan.js";

/** The storage buffers that a shader may bind by default. */
const STORAGE_BUFFERS = 8;

export function planFaults(graph: Graph, { plan, shaders }: { plan: Plan; shaders: Shaders }): string[] {
  const faults: string[] = [];
  /** The tensor whose values lie in each slot. */
  const holds = new Map<string, string>();
  graph.nodes.forEach((node, index) => {
    const { label, shader, entryPoint, bindings } = plan.dispatches[index]!;
    for (const { name, role } of Object.values(node.inputs)) {
      const buffer = plan.places[name]!.buffer;
      if (role === "activation" && holds.get(buffer) !== name) {
        faults.push(`${label} reads ${name} from ${buffer}, which holds ${holds.get(buffer)}`);
      }
    }
    const written = Object.values(node.outputs).filter(({ role }) => role === "activation");
    for (const { name } of written) holds.set(plan.places[name]!.buffer, name);
    const { bindings: declared } = shaders.get(shader)!;
    const places = (access: string) =>
      Object.entries(bindings).flatMap(([key, place]) => (place && declared[key]!.access === access ? [place] : []));
    const read = new Set(places("read").map(({ buffer }) => buffer));
    const write = places("read_write");
    for (const { buffer } of write) if (read.has(buffer)) faults.push(`${label} both reads and writes ${buffer}`);
    const overlap = write.some((a, i) =>
      write
        .slice(i + 1)
        .some((b) => a.buffer === b.buffer && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes),
    );
    if (overlap) faults.push(`${label} writes two tensors in one place`);
    const bound = Object.keys(bindings).length;
    if (bound > STORAGE_BUFFERS) faults.push(`${entryPoint} binds ${bound} buffers`);
    for (const { name, storage } of [...Object.values(node.inputs), ...Object.values(node.outputs)]) {
      const place = plan.places[name]!;
      const bytes = 4 * storage.reduce((product, n) => product * n, 1);
      if (place.bytes < bytes || place.offset + place.bytes > plan.buffers[place.buffer]!.bytes) {
        faults.push(`${label}: ${name} of ${bytes} bytes doesn't fit its place in ${place.buffer}`);
      }
    }
  });
  return faults;
}
