import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { lossChart, type EpochLosses } from "../../cli/charts.js";
import { inverseNormalCdf, manifoldPoints } from "../../cli/normal.js";
import { encodePng, imageGrid, reconstructionGrid } from "../../cli/png.js";
import { svgToPng } from "../../cli/rasterise.js";
import { latentScatter, pointsScatter, type PointSet } from "../../cli/scatter.js";
import { WebvaeError, type ErrorCode } from "../../src/errors.js";

/** Decodes a PNG; `pixel` gives red, green, blue. */
function decode(bytes: Uint8Array): { width: number; height: number; pixel: (x: number, y: number) => number[] } {
  const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
  return { width, height, pixel: (x, y) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)] };
}

const grey = (level: number): number[] => [level, level, level];
const gap = grey(208);

function expectCode(run: () => unknown, code: ErrorCode): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(WebvaeError);
    expect((error as WebvaeError).code).toBe(code);
    return;
  }
  throw new Error("nothing was thrown");
}

describe("image grids", () => {
  // Three images of 2 x 2: every value its own level.
  const images = new Float32Array([0, 0.2, 0.4, 0.6, 1, 0.8, 0.6, 0.4, 0.1, 0.3, 0.5, 0.7]);
  const shape = [2, 2, 1] as const;

  it("puts each pixel where it belongs, enlarged without smoothing", () => {
    const picture = decode(imageGrid({ images, count: 3, shape, columns: 2, scale: 3, gap: 1 }));
    expect([picture.width, picture.height]).toEqual([1 + 2 * 7, 1 + 2 * 7]);
    for (let index = 0; index < 3; index++) {
      for (let y = 0; y < 6; y++) {
        for (let x = 0; x < 6; x++) {
          const value = images[index * 4 + Math.floor(y / 3) * 2 + Math.floor(x / 3)]!;
          const at = picture.pixel(1 + (index % 2) * 7 + x, 1 + Math.floor(index / 2) * 7 + y);
          expect(at).toEqual(grey(Math.round(value * 255)));
        }
      }
    }
    for (let i = 0; i < 15; i++) {
      for (const line of [0, 7, 14]) {
        expect(picture.pixel(i, line)).toEqual(gap);
        expect(picture.pixel(line, i)).toEqual(gap);
      }
    }
    // The cell without an image is white.
    expect(picture.pixel(10, 10)).toEqual(grey(255));
  });

  it("joins images without a gap, clips values, and fits the columns to the count", () => {
    const picture = decode(
      imageGrid({ images: new Float32Array([-1, 2]), count: 2, shape: [1, 1, 1], columns: 9, scale: 1, gap: 0 }),
    );
    expect([picture.width, picture.height]).toEqual([2, 1]);
    expect([picture.pixel(0, 0), picture.pixel(1, 0)]).toEqual([grey(0), grey(255)]);
  });

  it("keeps colours in order", () => {
    const picture = decode(
      imageGrid({ images: new Float32Array([1, 0.4, 0]), count: 1, shape: [1, 1, 3], columns: 1, scale: 2, gap: 0 }),
    );
    expect(picture.pixel(1, 1)).toEqual([255, 102, 0]);
  });

  it("draws digits crisply by default: whole pixels, 10 x 10 within a screen", () => {
    const picture = decode(
      imageGrid({ images: new Float32Array(100 * 784), count: 100, shape: [28, 28, 1], columns: 10 }),
    );
    expect([picture.width, picture.height]).toEqual([862, 862]);
  });

  it("puts reconstructions below their originals, and separates rows of pairs", () => {
    const originals = new Float32Array([0, 0.2, 0.4]);
    const reconstructions = new Float32Array([0.6, 0.8, 1]);
    const picture = decode(
      reconstructionGrid({ originals, reconstructions, count: 3, shape: [1, 1, 1], columns: 2, scale: 1, gap: 1 }),
    );
    // Bands of 5 rows (gap, original, gap, reconstruction, gap) with 10 white rows between them.
    expect([picture.width, picture.height]).toEqual([5, 20]);
    expect([picture.pixel(1, 1), picture.pixel(1, 3)]).toEqual([grey(0), grey(153)]);
    expect([picture.pixel(3, 1), picture.pixel(3, 3)]).toEqual([grey(51), grey(204)]);
    expect([picture.pixel(1, 16), picture.pixel(1, 18)]).toEqual([grey(102), grey(255)]);
    for (let y = 5; y < 15; y++) expect(picture.pixel(2, y)).toEqual(grey(255));
    expect([picture.pixel(0, 4), picture.pixel(0, 15), picture.pixel(1, 2)]).toEqual([gap, gap, gap]);
  });

  it("rejects what cannot be drawn", () => {
    const good = { images, count: 3, shape, columns: 2 };
    expectCode(() => imageGrid({ ...good, count: 4 }), "INVALID_DATA");
    expectCode(() => imageGrid({ ...good, shape: [2, 1, 2] }), "INVALID_DATA");
    expectCode(() => imageGrid({ ...good, columns: 0 }), "INVALID_OPTION");
    expectCode(() => imageGrid({ ...good, scale: 1.5 }), "INVALID_OPTION");
    expectCode(() => imageGrid({ ...good, gap: -1 }), "INVALID_OPTION");
    expectCode(() => imageGrid({ ...good, images: new Float32Array(12).fill(NaN, 5) }), "NON_FINITE");
    expectCode(() => encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(4) }), "INVALID_DATA");
  });
});

describe("normal quantiles", () => {
  // Known to full precision.
  it.each([
    [0.5, 0],
    [0.6, 0.2533471031357997],
    [0.75, 0.6744897501960817],
    [0.9, 1.2815515655446004],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.995, 2.5758293035489004],
    [0.999, 3.090232306167813],
    [1e-6, -4.753424308822899],
    [1e-10, -6.361340902404056],
    [1e-20, -9.26234008979841],
    // The probabilities within one and two standard deviations above the mean.
    [0.8413447460685429, 1],
    [0.9772498680518208, 2],
  ])("of %d is %d", (p, x) => {
    expect(Math.abs(inverseNormalCdf(p) - x)).toBeLessThan(1e-9);
    if (p > 1e-3) expect(Math.abs(inverseNormalCdf(1 - p) + x)).toBeLessThan(1e-9);
  });

  it("agrees with the integral of the density everywhere", () => {
    // Simpson's rule over 200 intervals from 0 to x.
    const probability = (x: number): number => {
      let sum = 0;
      for (let i = 0; i <= 200; i++) sum += (i % 200 === 0 ? 1 : i % 2 ? 4 : 2) * Math.exp(-((x * i) ** 2) / 80000);
      return 0.5 + (sum * x) / 600 / Math.sqrt(2 * Math.PI);
    };
    for (let p = 0.001; p < 1; p += 0.001) expect(Math.abs(probability(inverseNormalCdf(p)) - p)).toBeLessThan(1e-9);
  });

  it("rejects invalid probabilities", () => {
    for (const p of [0, 1, -0.1, 1.1, NaN]) expectCode(() => inverseNormalCdf(p), "INVALID_OPTION");
  });

  it("lays out latent points like a chart: right and up", () => {
    const points = manifoldPoints(2);
    const q = Math.fround(0.6744897501960817);
    expect([...points]).toEqual([-q, q, q, q, -q, -q, q, -q]);
    expect([...manifoldPoints(3).subarray(8, 10)]).toEqual([0, 0]);
  });
});

const epoch = (n: number, elbo = -200 / n - 100): EpochLosses => {
  const losses = { elbo, reconstruction: -elbo - 20, kl: 20 };
  return { epoch: n, train: losses, test: losses };
};

describe("loss chart", () => {
  it("names its curves, its axes and their units", () => {
    const steps = Array.from({ length: 50 }, (_, i) => ({ ...epoch(1 + i / 10).train, epoch: i / 10 }));
    const svg = lossChart({ epochs: [1, 2, 3, 4, 5].map((n) => epoch(n)), steps }, { title: "A <title> & more" });
    for (const text of ["Training, each step", "Training, epoch mean", "Test", "Epoch", "nats per example"]) {
      expect(svg).toContain(`>${text}</text>`);
    }
    for (const text of ["Loss (negative ELBO)", "Reconstruction", "KL divergence"])
      expect(svg).toContain(`>${text}</text>`);
    expect(svg).toContain("Loss after epoch 5: training 140.00, test 140.00 nats");
    expect(svg).toContain("A &lt;title&gt; &amp; more");
    expect(svg).toContain('stroke="#0072b2"');
    expect(svg).toContain('stroke="#d55e00"');
  });

  it("draws an objective's bound, and names it", () => {
    const train = { ...epoch(1).train, terms: { "kl.prior": 30, "kl.posterior": -10, bound: 290 } };
    const svg = lossChart({
      epochs: [
        { epoch: 1, train },
        { ...epoch(2), train: { ...train, terms: { bound: 190 } } },
      ],
    });
    expect(svg).toContain(">Training, bound</text>");
    expect(svg).toContain("training 300.00 (bound 190.00), test 200.00 nats");
    expect(svg).not.toContain("kl.");
    expect(svg).toContain("stroke-dasharray");
    expect(lossChart({ epochs: [epoch(1), epoch(2)] })).not.toContain("stroke-dasharray");
  });

  it("is the same file for the same history", () => {
    const history = { epochs: [epoch(1), epoch(2)] };
    const svg = lossChart(history);
    expect(lossChart(history)).toBe(svg);
    expect(svg).not.toMatch(/hover|zr\d/);
  });

  it("omits the test losses if there are none", () => {
    expect(lossChart({ epochs: [{ epoch: 1, train: epoch(1).train }] })).not.toContain("Test");
  });

  it.each<[string, EpochLosses[]]>([
    ["no epochs", []],
    ["one epoch", [epoch(1)]],
    ["negative losses", [epoch(1, 5), epoch(2, 50)]],
    ["huge losses", [epoch(1, -1e30), epoch(2, 1e30)]],
    ["tiny losses", [epoch(1, -1e-30), epoch(2, -2e-30)]],
    ["losses that are all zero", [epoch(1, 0), epoch(2, 0)]],
    ["NaN and infinity among them", [epoch(1), epoch(2, NaN), epoch(3, Infinity), epoch(4)]],
    ["only NaN", [epoch(1, NaN), epoch(2, NaN)]],
    ["a thousand epochs", Array.from({ length: 1000 }, (_, i) => epoch(i + 1))],
  ])("draws %s", async (_name, epochs) => {
    for (const width of [380, 900]) {
      const svg = lossChart({ epochs }, { width });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(decode(await svgToPng(svg)).width).toBe(width);
    }
  });
});

describe("scatter charts", () => {
  const means = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i * i));
  const labels = Uint8Array.from({ length: 100 }, (_, i) => i % 10);

  it("colours the latent means by label, and rasterises with a bundled font", async () => {
    const svg = latentScatter({ means, labels, title: "Digits", width: 500 });
    for (const text of ["Latent dimension 1", "Latent dimension 2", "Digits"]) expect(svg).toContain(`>${text}</text>`);
    // Each class in the legend and at its median.
    for (let digit = 0; digit < 10; digit++) expect(svg.split(`>${digit}</text>`).length).toBeGreaterThanOrEqual(3);
    const picture = decode(await svgToPng(svg, 2));
    expect(picture.width).toBe(1000);
    const colours = new Set<string>();
    let dark = 0;
    for (let y = 0; y < picture.height; y++) {
      for (let x = 0; x < picture.width; x++) {
        const pixel = picture.pixel(x, y);
        colours.add(pixel.join());
        // The title: without a font it would be blank.
        if (y < 60 && Math.max(...pixel) < 80) dark++;
      }
    }
    expect(dark).toBeGreaterThan(100);
    // The legend's icons are opaque: each of the ten colours is there exactly.
    const legend = ["63,144,218", "255,169,14", "189,31,1", "148,164,162", "131,45,182"];
    legend.push("169,107,89", "231,99,0", "185,172,112", "113,117,129", "146,218,221");
    for (const colour of legend) expect(colours).toContain(colour);
  });

  it("keeps the names of classes with the same median apart", () => {
    const same = latentScatter({ means: new Float32Array(200), labels });
    const places = [...same.matchAll(/<text[^>]*translate\(([-\d.]+) ([-\d.]+)\)[^>]*stroke-width="4"[^>]*>\d</g)];
    const at = places.map(([, x, y]) => [Number(x), Number(y)] as const);
    expect(at.length).toBe(10);
    at.forEach(([x, y], i) => {
      for (const [otherX, otherY] of at.slice(0, i)) expect(Math.hypot(x - otherX, y - otherY)).toBeGreaterThan(14);
    });
    // No further than necessary.
    const across = Math.max(...at.map(([x]) => x)) - Math.min(...at.map(([x]) => x));
    expect(across).toBeLessThan(100);
  });

  it("draws links below the data, and reconstructions above them", async () => {
    const data = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i * i));
    const sets = [
      { name: "Data", points: data },
      { name: "Reconstructions", points: data.map((value) => value * 0.2) },
    ] as const;
    const svg = pointsScatter({ sets, linked: true });
    const plot = svg.slice(svg.indexOf('stroke-opacity="0.15"'));
    // The data, after the links, and no dot of them after the first reconstruction.
    expect(plot.indexOf('fill="#8c959f"')).toBeGreaterThan(0);
    expect(plot.indexOf('fill="#0072b2"')).toBeGreaterThan(plot.lastIndexOf('fill-opacity="0.7"'));
    const picture = decode(await svgToPng(svg));
    let drawn = 0;
    for (let y = 100; y < picture.height; y++) {
      for (let x = 80; x < picture.width; x++) {
        const [red, , full] = picture.pixel(x, y);
        if (full! - red! > 80) drawn++;
      }
    }
    expect(drawn).toBeGreaterThan(3000);
  });

  it("draws without labels, with names, with more than ten classes, and thins out too many points", () => {
    expect(latentScatter({ means })).not.toContain("#ffa90e");
    expect(latentScatter({ means, labels, classNames: ["Bag", "Coat"] })).toContain(">Coat</text>");
    const many = latentScatter({ means, labels: Uint8Array.from({ length: 100 }, (_, i) => i % 26) });
    expect(many).toContain(">25</text>");
    const large = latentScatter({ means: new Float32Array(40_002).map((_, i) => Math.sin(i * i)) });
    expect(large).toContain("6,667 of 20,001 encoded examples");
  });

  it("draws points by class, and latents of another prior without the circle of N(0, 1)", () => {
    const sets = Array.from({ length: 12 }, (_, i) => ({ name: `class ${i}`, points: means.subarray(0, 20 + i * 2) }));
    const svg = pointsScatter({ sets: sets as unknown as [PointSet], classes: true });
    expect(svg).toContain(">class 11</text>");
    expect(svg).toContain("12 classes");
    expect(svg).toContain("#3f90da");
    expect(latentScatter({ means, labels })).toContain("dashed circle");
    expect(latentScatter({ means, labels, circle: false })).not.toContain("dashed circle");
  });

  it("leaves out points that are not finite, and says so", () => {
    const svg = latentScatter({ means: new Float32Array([0, 0, NaN, 1, 2, Infinity, 1, 1]) });
    expect(svg).toContain("2 of 4 encoded examples (2 not finite)");
    expect(svg).not.toMatch(/NaN|Infinity/);
    expectCode(() => latentScatter({ means: new Float32Array([NaN, 1]) }), "NON_FINITE");
  });

  it("rejects sizes that do not match", () => {
    expectCode(() => latentScatter({ means: new Float32Array(3) }), "INVALID_DATA");
    expectCode(() => latentScatter({ means: new Float32Array(0) }), "INVALID_DATA");
    expectCode(() => latentScatter({ means, labels: new Uint8Array(3) }), "INVALID_DATA");
    const sets = [
      { name: "Originals", points: means },
      { name: "Reconstructions", points: means.subarray(2) },
    ] as const;
    expectCode(() => pointsScatter({ sets, linked: true }), "INVALID_DATA");
  });

  it("compares two sets of points, optionally linked, and survives a single point", () => {
    const moved = means.map((value) => value * 0.5);
    const sets = [
      { name: "Originals", points: means },
      { name: "Reconstructions", points: moved },
    ] as const;
    const svg = pointsScatter({ sets, linked: true, title: "Pairs" });
    for (const text of ["Originals", "Reconstructions", "x1", "x2", "Pairs"]) expect(svg).toContain(`>${text}</text>`);
    expect(svg.length).toBeGreaterThan(pointsScatter({ sets }).length);
    for (const value of [0, 3, -1e20]) {
      const lone = pointsScatter({ sets: [{ name: "Samples", points: new Float32Array([value, value]) }] });
      expect(lone).not.toMatch(/NaN|Infinity/);
    }
  });
});
