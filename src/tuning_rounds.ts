// Which of some programs is the fastest, by a clock that may tick slowly and while other programs run.

/**
 * Milliseconds by the clock, of so many runs of a program in one measurement; Infinity where it can't run, and NaN where
 * there is no time.
 */
export type Runs = (times: number) => Promise<number>;

/** The most runs in one measurement: what even so is shorter than a span takes too little time to matter. */
const MOST_TIMES = 1024;
/** A run of so many milliseconds says enough when it is measured twice, its first included. */
const LONG_MS = 30;

/**
 * The place of the fastest, or -1 where there was no time to tell. The first is the usual one: it stays unless another is
 * clearly faster. After a run that pays for what is set up at first, and which counts only where it is long, they are
 * measured in turn, so that what slows a GPU down for a while slows down all, each time as many runs as last for
 * `spanMs`. They are compared by their medians, of two measurements by the lower one. What takes longer than
 * `patienceMs`, or much longer than another, is not run again; if the usual one takes longer than `patienceMs`, no other
 * is run at all.
 */
export async function fastestOf(
  runs: readonly Runs[],
  spanMs: number,
  software: boolean,
  patienceMs: number,
): Promise<number> {
  const all: number[][] = [];
  const measure: (() => Promise<void>)[] = [];
  for (const run of runs) {
    const first = await run(1);
    if (!all[0] && first >= patienceMs && first < Infinity) return -1;
    const own = first < LONG_MS ? [] : [first];
    all.push(own);
    let times = 1;
    measure.push(async () => {
      if (own[0]! >= patienceMs || own[1]! >= LONG_MS) return;
      let ms: number;
      while ((ms = await run(times)) < spanMs && times < MOST_TIMES) {
        // In larger steps while it is far from enough, for each step waits for the host too.
        times *= 4 * ms < spanMs ? 4 : 2;
      }
      own.push((ms /= times));
      // One whose first run took longer than this is no match for it.
      patienceMs = Math.min(patienceMs, 2 * ms + LONG_MS);
    });
  }
  // A processor runs a product for longer than the clock is wrong, and delays the first step the longer.
  for (const next of [...measure, ...measure, ...(software ? [] : measure)]) await next();
  // A wrong choice is dear, and other programs share a processor. Of what there was no time for the median is NaN, and so
  // is the least of all.
  const medians = all.map(
    (own, place) => own.sort((a, b) => a - b)[(own.length - 1) >> 1]! * (place ? 1 : software ? 0.8 : 0.95),
  );
  return medians.indexOf(Math.min(...medians));
}
