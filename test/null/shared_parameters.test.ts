// A network that a graph uses several times is one network: its parameters have one gradient, the sum over all uses,
// where the optimizer reads it.
import { describe, expect, it } from "vitest";
import { differentiate } from "../../src/gradient.js";
import { graphTensors, ONE, type Graph, type Node } from "../../src/graph.js";
import { bernoulli } from "../../src/ops/bernoulli.js";
import { linear } from "../../src/ops/linear.js";
import { atSite } from "../../src/ops/op.js";
import { reparameterize } from "../../src/ops/reparameterize.js";
import { plan } from "../../src/plan.js";
import { flatTensor, like, tensor, weightTensor, type Tensor } from "../../src/tensor.js";
import { Interpreter } from "../support/interpreter.js";
import { RandomValues } from "../support/random_values.js";
import { defaultStep } from "../support/run_node.js";

const [rows, width] = [3, 5];
const W = weightTensor("W", "param", [width], [width]);
const b = tensor("b", "param", [width]);
const x = tensor("x", "input", [rows, width]);

/** W and b applied `uses` times in sequence, and a Bernoulli loss. */
function chained(uses: number): Graph {
  const nodes: Node[] = [];
  let h: Tensor = x;
  for (let use = 1; use <= uses; use++) {
    const node = linear(`h${use}`, h, W, b, use === uses ? "none" : "tanh");
    nodes.push(node);
    h = node.outputs.y!;
  }
  const term = bernoulli(h, x);
  const value = term.outputs.reconstruction!;
  return { nodes: [...nodes, term], terms: [{ name: "reconstruction", value, knob: ONE }] };
}

function values(graph: Graph) {
  const interpreter = new Interpreter(graph);
  const random = new RandomValues("shared");
  interpreter.set(
    "x",
    random.normal(rows * width).map((value) => 1 / (1 + Math.exp(-value))),
  );
  interpreter.set("W", random.normal(width * width));
  interpreter.set("b", random.normal(width));
  return interpreter;
}

const step = { ...defaultStep, rows };

describe.each([1, 2, 3, 5])("used %i times", (uses) => {
  const forward = chained(uses);
  const graph = differentiate(forward);

  it.each(["W", "b"])("the gradient of %s matches central differences", (name) => {
    const backward = values(graph);
    backward.run(step);
    const loss = (index: number, by: number) => {
      const moved = values(forward);
      moved.get(name)[index]! += by;
      moved.run(step);
      return moved.get("reconstruction").reduce((sum, value) => sum + value, 0) / rows;
    };
    backward.get(`d${name}`).forEach((gradient, index) => {
      const difference = (loss(index, 1e-5) - loss(index, -1e-5)) / 2e-5;
      expect(Math.abs(gradient - difference)).toBeLessThan(1e-8 * Math.max(1, Math.abs(difference)));
    });
  });

  it("the sum is the last to write the gradient", () => {
    const params = flatTensor("params", "param", [W, b]);
    const gradients = flatTensor("gradients", "gradient", [like(W, "dW", "gradient"), like(b, "db", "gradient")]);
    const { plan: planned } = plan(graph, { flats: [params, gradients] });
    const writers = planned.dispatches.filter(({ bindings }) =>
      ["dW", "db", "total"].some((key) => bindings[key]?.buffer === "gradients"),
    );
    expect(writers.map(({ entryPoint }) => entryPoint)).toEqual(
      uses === 1 ? ["linear_grad_weight"] : ["add_gradients", "add_gradients"],
    );
    expect(Object.values(planned.buffers).filter(({ kind }) => kind === "gradient")).toHaveLength(1);
  });
});

describe("two nodes that make tensors with the same name", () => {
  const heads = (name: string) => tensor(name, "input", [rows, 2, width]);

  it("are rejected when a graph is planned, even if the sizes are equal", () => {
    const nodes = [reparameterize(heads("upper")), atSite(reparameterize(heads("lower")), 1)];
    expect(() => graphTensors({ nodes })).toThrow("two nodes make z: reparameterize and reparameterize");
    expect(() => plan({ nodes })).toThrow("two nodes make z");
  });

  it("but a node may overwrite its input", () => {
    const moment = tensor("moment", "state", [4]);
    const over = (op: string): Node => ({ op, inputs: { moment }, outputs: { moment }, attributes: {} });
    expect(graphTensors({ nodes: [over("first"), over("second")] }).size).toBe(1);
  });
});
