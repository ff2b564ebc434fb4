// What the command line makes of its arguments.
import { describe, expect, test } from "vitest";
import { modelSpec, typed } from "../../cli/options.js";

describe("a part of a spec by its name and keys", () => {
  test.each([
    ["bernoulli", "bernoulli"],
    ["gaussian,variance=0.25", { type: "gaussian", variance: 0.25 }],
    ["laplace,scale=learned", { type: "laplace", scale: "learned" }],
    ["anything,a=1e-3,b=x=y", { type: "anything", a: 0.001, b: "x=y" }],
  ])("%s", (text, json) => expect(typed(text)).toEqual(json));

  test.each(["gaussian,", "gaussian,variance", "gaussian,=1", "gaussian,variance="])("%s is refused", (text) =>
    expect(() => typed(text)).toThrow(/must be key=value/),
  );

  test("takes the place of the model's", async () => {
    const likelihood = typed("laplace,scale=2");
    const { spec } = await modelSpec("mlp", [4], 2, { likelihood });
    expect(spec.likelihood).toEqual({ type: "laplace", scale: 2 });
    expect((await modelSpec("mlp", [4], 2)).spec.likelihood).toBe("bernoulli");
  });
});
