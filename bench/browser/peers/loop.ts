// The training loop that tfjs and jax-js share: steps are queued without reading anything back, with occasional waits.
import { COMPARED_STEPS, type Pace, type PageMemory, type Peer, type Timed } from "../protocol.js";

/** A library's step. L is its handle for a scalar that stays on the device. */
export interface Stepper<L> {
  readonly detail: string;
  readonly dataBytes: number;
  readonly memory?: () => Partial<PageMemory>;
  /** Queues training step `index`. */
  step(index: number): L;
  /** Resolves when everything queued has been computed. */
  settle(loss: L): Promise<void>;
  read(loss: L): Promise<number>;
  release(loss: L): void;
  dispose?(): void;
}

export function looped<L>(stepper: Stepper<L>): Peer {
  let next = 0;
  return {
    detail: stepper.detail,
    dataBytes: stepper.dataBytes,
    ...(stepper.memory ? { memory: stepper.memory } : {}),
    dispose: () => stepper.dispose?.(),
    async losses(count) {
      const losses: number[] = [];
      for (let i = 0; i < count; i++) {
        const loss = stepper.step(next++);
        await stepper.settle(loss);
        losses.push(await stepper.read(loss));
        stepper.release(loss);
      }
      return losses;
    },
    async measure({ steps, every }: Pace): Promise<Timed> {
      const kept: L[] = [];
      const started = performance.now();
      for (let i = 1; i <= steps; i++) {
        const compared = next < COMPARED_STEPS;
        const loss = stepper.step(next++);
        if (i % every === 0 || i === steps) await stepper.settle(loss);
        if (compared) kept.push(loss);
        else stepper.release(loss);
      }
      const stepMs = (performance.now() - started) / steps;
      const losses: number[] = [];
      for (const loss of kept) {
        losses.push(await stepper.read(loss));
        stepper.release(loss);
      }
      return { stepMs, steps, losses };
    },
  };
}
