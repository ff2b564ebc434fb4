// The demo's settings from an address, and the text of a model: everything from outside is checked.
import { describe, expect, it, test } from "vitest";
import { specFor } from "../../demo/architecture.js";
import { readJson } from "../../demo/json_fault.js";
import { defaults, fromHash, LONGEST_SPEC, numberFault, toHash, type Settings } from "../../demo/settings.js";
import { faultLine, specText } from "../../demo/spec_text.js";
import { models, VAE, WebvaeError } from "../../src/index.js";

describe("the address", () => {
  const changed: Settings = {
    data: "mnist",
    model: "custom",
    latent: 8,
    spec: '{ "input": [28, 28, 1] } & % # +',
    batch: 64,
    epochs: 3,
    seed: 7,
    learningRate: 0.0005,
    beta: 0,
    noise: 0.5,
  };

  it("round-trips all settings, and omits the defaults", () => {
    expect(fromHash(toHash(changed))).toEqual({ settings: changed, refused: [] });
    expect(toHash(defaults)).toBe("");
    expect(fromHash("")).toEqual({ settings: defaults, refused: [] });
    // The address cannot contain these.
    expect(toHash({ ...defaults, data: "files" })).toBe("");
  });

  it.each([
    ["#data=<script>alert(1)</script>", /^data=<script>alert\(1\)<\/script>: must be one of digits, mnist/],
    ["#data=__proto__", /must be one of digits/],
    ["#data=files", /must be one of digits/],
    ["#model=constructor", /must be one of mlp, conv, custom/],
    ["#latent=0", /^latent=0: must be a whole number from 1 to 256/],
    ["#latent=1.5", /whole number/],
    ["#latent=1e2", /whole number/],
    ["#batch=99999999999999999999", /^batch=99999999999999999999: must be a whole number from 1 to 1024/],
    ["#seed=-1", /whole number from 0/],
    ["#lr=1e999", /^lr=1e999: must be a number from 0.000001 to 1/],
    ["#lr=NaN", /must be a number/],
    ["#lr=0x10", /must be a number/],
    ["#beta=Infinity", /must be a number/],
    ["#noise=", /must be a number/],
    ["#model=custom", /does not contain the model itself/],
    [`#model=mlp&spec=${"x".repeat(LONGEST_SPEC + 1)}`, /^spec=x{40}…: must be at most 20000 characters/],
    ["#__proto__=1", /no such setting/],
    ["#toString=1", /no such setting/],
  ])("rejects %s by name, and uses the default", (hash, message) => {
    const { settings, refused } = fromHash(hash);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatch(message);
    expect({ ...settings, spec: "" }).toEqual(defaults);
  });

  it("applies valid settings next to invalid ones", () => {
    const { settings, refused } = fromHash("#latent=3&batch=many&lr=5e-4");
    expect([settings.latent, settings.batch, settings.learningRate]).toEqual([3, defaults.batch, 5e-4]);
    expect(refused).toHaveLength(1);
  });

  it("fields accept the same values as the address", () => {
    expect(numberFault("learningRate", "0.001")).toBeUndefined();
    expect(numberFault("learningRate", ".5")).toBeUndefined();
    expect(numberFault("learningRate", "")).toMatch(/number/);
    expect(numberFault("epochs", "1 ")).toMatch(/whole number/);
  });
});

describe("JSON", () => {
  it.each(['{"a":[1,-2.5e3,{"b":null}],"c":"\\u00e9\\n"}', "[]", "{}", " [ true , false ] ", '"x"', "-0.5"])(
    "reads %s like JSON.parse",
    (text) => expect(readJson(text)).toMatchObject({ value: JSON.parse(text) as unknown }),
  );

  it.each([
    ['{\n  "a": 1,\n}', 3, 1, /expected a name in double quotes, found "}"/],
    ["[1, 2", 1, 6, /expected a comma or ], the text ends/],
    ["[1,]", 1, 4, /expected a value, found "]"/],
    ['{ "a" 1 }', 1, 7, /expected a colon, found "1"/],
    ["{ a: 1 }", 1, 3, /expected a name in double quotes, found "a"/],
    ['{"a":1,\n"a":2}', 2, 1, /duplicate name "a"/],
    ['["a\nb"]', 1, 2, /string is not closed/],
    ["01", 1, 2, /expected the end/],
    ["NaN", 1, 1, /expected a value, found "N"/],
    ["", 1, 1, /the text ends/],
    ["[".repeat(100_000), 1, 62, /nested deeper/],
  ])("finds where %j stops being valid JSON", (text, line, column, message) => {
    const { fault } = readJson(text);
    expect(fault).toMatchObject({ line, column });
    expect(fault?.message).toMatch(message);
    if (text.length < 100 && !text.includes('"a":2')) expect(() => JSON.parse(text) as unknown).toThrow();
  });
});

describe("a model's text", () => {
  test.each(["mlp", "conv"] as const)("%s is written with one layer per line, and read again", (model) => {
    const spec = specFor({ model, latent: 2, spec: "" }, [28, 28, 1]);
    const text = specText(spec);
    expect(JSON.parse(text)).toEqual(spec);
    expect(text.split("\n").length).toBeGreaterThan(8);
    expect(specFor({ model: "custom", latent: 9, spec: text }, [28, 28, 1])).toEqual(spec);
  });

  const text = specText(models.conv([28, 28, 1], 2));
  const lineWith = (part: string) => text.split("\n").findIndex((line) => line.includes(part)) + 1;

  test.each([
    ["units", '"units": 16', '"units": -16'],
    ["type", '"type": "flatten"', '"type": "flaten"'],
    [
      "activation",
      '"filters": 64, "kernel": 3, "activation": "relu"',
      '"filters": 64, "kernel": 3, "activation": "rel"',
    ],
    ["latent", '"latent": 2', '"latent": 2.5'],
    ["likelihood", '"likelihood": "bernoulli"', '"likelihood": "poisson"'],
  ])("finds the line of an error in %s", async (_, good, wrong) => {
    const line = lineWith(good);
    expect(line).toBeGreaterThan(0);
    const broken = text.replace(good, wrong);
    const spec = specFor({ model: "custom", latent: 2, spec: broken }, [28, 28, 1]);
    const error: unknown = await VAE.create(spec).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(WebvaeError);
    expect((error as WebvaeError).code).toBe("INVALID_SPEC");
    expect(faultLine(broken, (error as WebvaeError).message)).toBe(line);
  });

  test("data of another shape and invalid JSON are rejected before anything is built", () => {
    const custom = (spec: string) => () => specFor({ model: "custom", latent: 2, spec }, [32, 32, 3]);
    expect(custom(text)).toThrow(/input: the data has shape \[32, 32, 3\], but the model expects \[28, 28, 1\]/);
    expect(custom("{")).toThrow(/line 1, column 2: expected a name/);
    expect(() => specFor({ model: "conv", latent: 2, spec: "" }, [2])).toThrow(/needs images/);
  });

  test("images of 48 pixels or more get the larger model if their sides allow it", () => {
    const layers = (shape: number[]) => specFor({ model: "conv", latent: 8, spec: "" }, shape).encoder.length;
    expect(layers([64, 64, 3])).toBe(5);
    expect(layers([52, 52, 3])).toBe(4);
    expect(layers([28, 28, 1])).toBe(4);
  });
});
