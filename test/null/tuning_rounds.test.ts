// Which program is chosen by a clock that ticks slowly, in the noise of a machine that does other things too: simulated.
import { describe, expect, test } from "vitest";
import { RandomSequence, Stream } from "../../src/random.js";
import { fastestOf, type Runs } from "../../src/tuning_rounds.js";

const TICK_MS = 0.1;
const SPAN_MS = 20 * TICK_MS;
const TRIALS = 1000;

const PATIENCE_MS = 250;

/** The place of the fastest, on a GPU. */
const onGpu = (runs: readonly Runs[]) => fastestOf(runs, SPAN_MS, false, PATIENCE_MS);
/** The same where each run delays the first step the longer. */
const onSoftware = (runs: readonly Runs[]) => fastestOf(runs, SPAN_MS, true, PATIENCE_MS);

interface Machine {
  /** Milliseconds since it started. */
  readonly now: () => number;
  /** Measurements so far. */
  readonly measured: () => number;
  /** A program whose single run takes so many microseconds. */
  readonly program: (microseconds: number) => Runs;
}

/** Timestamps are rounded down to a tick. `quiet`: where the programs take all the time, and always the same. */
function machine(seed: number, quiet = false): Machine {
  const random = new RandomSequence(seed, Stream.data);
  let now = 10 * random.uniform();
  let measured = 0;
  const stamp = () => TICK_MS * Math.floor(now / TICK_MS);
  return {
    now: () => now,
    measured: () => measured,
    program: (microseconds) => {
      let cold = true;
      return (times) => {
        measured++;
        // The host takes a while to submit, so that a measurement begins anywhere in a tick.
        if (!quiet) now += 0.2 + 2 * random.uniform();
        const from = stamp();
        const pace = quiet ? 1 : Math.max(0.9, 1 + 0.03 * random.normal());
        now += (times * microseconds * pace) / 1000;
        // What another program takes of the GPU, and what is set up at the first run.
        if (!quiet && random.uniform() < 0.03) now -= 2 * Math.log(random.uniform());
        if (!quiet && cold) now += 5 * random.uniform();
        cold = false;
        return Promise.resolve(stamp() - from);
      };
    },
  };
}

/** In how many of the trials the program at each place was chosen. */
async function chosen(microseconds: readonly number[]): Promise<number[]> {
  const counts = microseconds.map(() => 0);
  for (let seed = 0; seed < TRIALS; seed++) {
    const { program } = machine(seed);
    counts[await onGpu(microseconds.map(program))]!++;
  }
  return counts;
}

describe(`of ${TRIALS} trials by a clock of 100 microseconds`, () => {
  test.each([
    ["20 against the usual 40", [40, 20], 1],
    ["the usual 20 against 40", [20, 40], 0],
    ["20 against 30 and the usual 40", [40, 30, 20], 2],
    ["70 against the usual 90", [90, 70], 1],
    ["5000 against the usual 8000", [8000, 5000], 1],
  ] as const)("%s microseconds is chosen in 99 %%", async (_, microseconds, place) => {
    const counts = await chosen(microseconds);
    console.log(`${microseconds.join(", ")} microseconds: chosen ${counts.join(", ")} times`);
    expect(counts[place]).toBeGreaterThanOrEqual(0.99 * TRIALS);
  });

  test("where they differ by less than the margin the usual one mostly stays", async () => {
    const [stays = 0] = await chosen([50, 50]);
    console.log(`of two alike the usual one: chosen ${stays} times`);
    expect(stays).toBeGreaterThanOrEqual(0.85 * TRIALS);
  });

  test("one run of each says little, even when it is warm", async () => {
    let right = 0;
    for (let seed = 0; seed < TRIALS; seed++) {
      const { program } = machine(seed);
      const [slow, fast] = [program(40), program(20)];
      await Promise.all([slow(1), fast(1)]);
      if ((await fast(1)) < (await slow(1))) right++;
    }
    expect(right).toBeLessThan(0.6 * TRIALS);
  });
});

describe("the time it takes", () => {
  test.each([
    // The first run; 1, 4, 16, 64 and 128 runs, which span 2 ms; two rounds more.
    ["on a GPU, of 20 microseconds", onGpu, 20, 1 + 5 + 2],
    ["on a GPU, of 1 microsecond", onGpu, 1, 1 + 6 + 2],
    ["on a GPU, of 10 ms", onGpu, 10_000, 1 + 3],
    ["on a GPU, of 50 ms", onGpu, 50_000, 2],
    ["on a software adapter, of 10 ms", onSoftware, 10_000, 1 + 2],
    ["on a software adapter, of 50 ms", onSoftware, 50_000, 2],
  ] as const)("%s: measurements of each", async (_, fastest, microseconds, times) => {
    const { program, measured } = machine(1, true);
    await fastest([program(microseconds), program(microseconds)]);
    expect(measured()).toBe(2 * times);
  });

  test.each([
    ["on a GPU", onGpu],
    ["on a software adapter", onSoftware],
  ] as const)(
    "%s, where nothing runs when it is late: what is added is a run or 4 spans at most",
    async (_, fastest) => {
      for (let seed = 0; seed < TRIALS; seed++) {
        const { program, now } = machine(seed, true);
        const end = now() + seed / 25;
        const ending =
          (run: Runs): Runs =>
          (times) =>
            now() > end ? Promise.resolve(NaN) : run(times);
        const place = await fastest([2000, 40, 20].map(program).map(ending));
        expect(now()).toBeLessThan(end + 4 * SPAN_MS);
        // Without two measurements of each there is no choice, and with all of them there is.
        if (now() < end) expect(place).toBe(2);
        if (end < 10) expect(place).toBe(-1);
      }
    },
  );

  test("what takes longer than its patience is not run again", async () => {
    const { program, measured } = machine(1);
    expect(await onGpu([program(300_000), program(10)])).toBe(-1);
    expect(measured()).toBe(1);
    expect(await onGpu([program(50_000), program(260_000)])).toBe(0);
    expect(measured()).toBe(1 + 2 + 1);
  });
});

describe("what can't be measured", () => {
  const broken: Runs = () => Promise.resolve(Infinity);

  test("is passed over, be it the usual one or another", async () => {
    const { program } = machine(1);
    expect(await onGpu([broken, program(20)])).toBe(1);
    expect(await onGpu([program(20), broken])).toBe(0);
  });

  test("by a clock that stands still, leaves the usual one", async () => {
    const counts: number[] = [];
    const still: Runs = (times) => Promise.resolve(counts.push(times) * 0);
    expect(await onGpu([still, still])).toBe(0);
    expect(Math.max(...counts)).toBe(1024);
  });

  test("because it fails, is told", async () => {
    await expect(onGpu([() => Promise.reject(new Error("lost"))])).rejects.toThrow("lost");
  });
});
