// Runs a whole Graph in f64 on the CPU, each node by its op's twin. Slow, and with no thought of buffers, padding or
// schedules: what training on the GPU is measured by.
import type { StepValues } from "../../src/executable.js";
import type { Graph, Node } from "../../src/graph.js";
import { memberOffsets, size, type Tensor } from "../../src/tensor.js";
import { twinOf } from "../reference/index.js";
import { places } from "./layout.js";

export class Interpreter {
  /** Values of every tensor by name, without padding; of a flat tensor only its members are here. */
  readonly values = new Map<string, Float64Array>();
  private readonly layouts = new Map<string, Float64Array>();

  /** All values begin at zero. */
  constructor(private readonly graph: Graph) {
    for (const node of graph.nodes) {
      for (const tensor of [...Object.values(node.inputs), ...Object.values(node.outputs)]) {
        for (const one of tensor.members ?? [tensor]) this.values.set(one.name, new Float64Array(size(one.shape)));
      }
    }
  }

  get(name: string): Float64Array {
    const found = this.values.get(name);
    if (!found) throw new Error(`the graph has no tensor ${name}`);
    return found;
  }

  set(name: string, values: ArrayLike<number>): void {
    const known = this.get(name);
    if (known.length !== values.length) throw new Error(`${name} has ${known.length} values, not ${values.length}`);
    known.set(values);
  }

  /** Values of a flat tensor as they lie in its buffer: each member, padded, at its offset. */
  flat(tensor: Tensor): Float64Array {
    const flat = new Float64Array(size(tensor.storage));
    this.forEachPlace(tensor, (values, i, place) => (flat[place] = values[i]!));
    return flat;
  }

  setFlat(tensor: Tensor, flat: ArrayLike<number>): void {
    this.forEachPlace(tensor, (values, i, place) => (values[i] = flat[place]!));
  }

  private forEachPlace(flat: Tensor, visit: (values: Float64Array, i: number, place: number) => void): void {
    const offsets = memberOffsets(flat);
    for (const member of flat.members ?? []) {
      const layout = this.layouts.get(member.name) ?? places(member);
      this.layouts.set(member.name, layout);
      const values = this.get(member.name);
      const offset = offsets.get(member.name)!;
      for (let i = 0; i < values.length; i++) visit(values, i, offset + layout[i]!);
    }
  }

  /** One step: every node in order. */
  run(step: StepValues): void {
    for (const node of this.graph.nodes) this.runNode(node, step);
  }

  private runNode(node: Node, step: StepValues): void {
    // An output's old values are there for the ops that update it in place.
    const given = Object.entries({ ...node.outputs, ...node.inputs }).map(
      ([key, tensor]) => [key, tensor.members ? this.flat(tensor) : this.get(tensor.name)] as const,
    );
    const made = twinOf(node.op)(node, Object.fromEntries(given), step);
    for (const [key, tensor] of Object.entries(node.outputs)) {
      const values = made[key];
      if (!values) throw new Error(`the twin of ${node.op} makes no ${key}`);
      if (tensor.members) this.setFlat(tensor, values);
      else this.set(tensor.name, values);
    }
  }
}
