// Measures that tests use instead of wall time, which includes the machine's other work.
/**
 * Counts turns of the event loop from now on, and returns how many there were. An immediate answer takes a few of them,
 * however busy the machine is; waiting for the GPU or a timer takes many.
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

/** The most turns of an immediate answer. */
export const TURNS = 20;

/** CPU time of `act` in milliseconds, without waiting for other work. */
export function processorMs(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
