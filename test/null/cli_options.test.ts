// What the command line makes of its arguments.
import { describe, expect, test } from "vitest";
import { checkSame, choiceLines, savedObjective, withClasses, written } from "../../cli/choices.js";
import { modelSpec, typed } from "../../cli/options.js";
import { fromArray } from "../../src/datasets.js";
import { resolveSpec } from "../../src/spec.js";
import { fault } from "../support/fault.js";

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
    const { spec: own } = await modelSpec("mlp", [4], 2);
    expect(own.likelihood).toBe("bernoulli");
    expect([own.prior, own.condition]).toEqual([undefined, undefined]);
  });

  test("is checked by the library, whose message is what the user sees", async () => {
    const specOf = async (parts: Record<string, unknown>) =>
      resolveSpec((await modelSpec("mlp", [4], 2, parts)).spec).spec;
    const parts = { prior: typed("mixture,components=3"), condition: typed("label,classes=4") };
    expect(await specOf(parts)).toMatchObject({
      prior: { type: "mixture", components: 3 },
      condition: { type: "label", classes: 4 },
    });
    expect((await specOf({ prior: "normal" })).prior).toBeUndefined();
    const refused: [Record<string, unknown>, RegExp][] = [
      [{ prior: typed("gmm") }, /prior: expected "normal" or .*write \{ type: "mixture"/],
      [{ prior: typed("mixture,components=0") }, /prior: components/],
      [{ prior: typed("mixture,components=3,k=1") }, /prior.*k/],
      [{ condition: typed("class") }, /condition: expected \{ type: "label", classes \}/],
    ];
    for (const [wrong, message] of refused) await expect(specOf(wrong)).rejects.toEqual(fault("INVALID_SPEC", message));
    expect(savedObjective(typed("iwae,samples=5"))).toEqual({ type: "iwae", samples: 5 });
    expect(savedObjective("elbo")).toBeUndefined();
  });

  test.each(["bernoulli", "laplace,scale=learned", "mixture,components=10"])("%s is written as it is given", (text) =>
    expect(written(typed(text))).toBe(text),
  );

  test("is printed on a line where it is no default", async () => {
    const { spec } = await modelSpec("mlp", [4], 2, { prior: typed("mixture,components=3") });
    const lines = choiceLines(spec, { type: "iwae", samples: 5 });
    expect(lines).toEqual(["prior: mixture, components 3", "objective: iwae, samples 5"]);
  });
});

describe("a resumed run's choices", () => {
  const mixture = { type: "mixture", components: 10 } as const;
  test.each([
    ["prior", "mixture", mixture],
    ["prior", "mixture,components=10", mixture],
    ["prior", "normal", undefined],
    ["objective", "elbo", undefined],
    ["likelihood", "bernoulli", "bernoulli"],
    ["likelihood", "laplace", { type: "laplace", scale: 1 }],
    ["condition", "label", { type: "label", classes: 3 }],
    ["objective", "iwae,samples=5", { samples: 5, type: "iwae" }],
  ] as const)("--%s %s is the same", (name, text, then) =>
    expect(() => checkSame(name, typed(text), then, "FILE")).not.toThrow(),
  );
  test.each([
    [
      "prior",
      "mixture,components=5",
      mixture,
      /--prior mixture,components=5 contradicts .* FILE, .* mixture,components=10/,
    ],
    ["prior", "normal", mixture, /has mixture,components=10/],
    ["prior", "mixture,components=5", undefined, /has normal/],
    ["objective", "iwae,samples=5", undefined, /--objective iwae,samples=5 contradicts .* has elbo/],
    ["condition", "label,classes=3", undefined, /has none/],
    ["likelihood", "gaussian,variance=1", "bernoulli", /has bernoulli/],
  ] as const)("--%s %s contradicts another", (name, text, then, message) =>
    expect(() => checkSame(name, typed(text), then, "FILE")).toThrow(fault("INVALID_OPTION", message)),
  );
});

describe("the classes of labels", () => {
  const labelled = (...labels: number[]) =>
    fromArray(new Float32Array(labels.length), { shape: [1], labels: Uint8Array.from(labels) });

  test("are those of the training and the test data, at least two", () => {
    expect(withClasses("label", [labelled(0, 3), labelled(6, 1)])).toEqual({ type: "label", classes: 7 });
    expect(withClasses("label", [labelled(0, 0)])).toEqual({ type: "label", classes: 2 });
  });

  test("stay as they are given", () => {
    const given = typed("label,classes=12");
    expect(withClasses(given, [labelled(1)])).toBe(given);
    expect(withClasses(undefined, [labelled(1)])).toBeUndefined();
  });

  test("need labels", () => {
    const bare = fromArray(new Float32Array(3), { shape: [1], name: "numbers" });
    expect(() => withClasses("label", [bare])).toThrow(
      fault("INVALID_DATA", /--condition label: numbers has no labels/),
    );
  });
});
