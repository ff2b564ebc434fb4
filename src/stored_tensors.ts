// Which tensors of a graph are held in half precision.
import type { Graph } from "./graph.js";
import type { Kernel } from "./ops/op.js";

/** What the kernels hold as lib/stored.wgsl says. Throws where one kernel does and another doesn't. */
export function storedTensors(graph: Graph, kernels: readonly Kernel[]): Set<string> {
  const all = { stored: new Set<string>(), plain: new Set<string>() };
  graph.nodes.forEach((node, index) => {
    const { shader, entryPoint, names = {} } = kernels[index]!;
    for (const name of shader.entryPoints[entryPoint]?.bindings ?? []) {
      const tensor = { ...node.inputs, ...node.outputs }[names[name] ?? name];
      if (tensor) all[shader.bindings[name]?.stored ? "stored" : "plain"].add(tensor.name);
    }
  });
  const both = [...all.stored].filter((name) => all.plain.has(name));
  if (both.length > 0) throw new Error(`${both.join(", ")}: f16 in one kernel and f32 in another`);
  return all.stored;
}
