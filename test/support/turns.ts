// What a test judges in place of the time by the clock, which is the machine's other work too.
/**
 * Counts turns of the event loop from now on; gives how many there were. What answers at once takes a few of them,
 * however busy the machine is; what waits for the GPU, or for a timer, lets many pass.
 */
export function countTurns(): () => number {
  let turns = 0;
  let immediate: NodeJS.Immediate;
  const next = () => {
    turns++;
    immediate = setImmediate(next);
  };
  immediate = setImmediate(next);
  return () => {
    clearImmediate(immediate);
    return turns;
  };
}

/** Of what answers at once. */
export const TURNS = 20;

/** Milliseconds that `act` takes of the processor: what other work makes it wait is not among them. */
export function processorMs(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
