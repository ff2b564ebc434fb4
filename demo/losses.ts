// The losses measured during training, thinned out so that they stay small however long a run is.
import type { History, TestPoint, TrainPoint } from "./protocol.js";

/** The most points: as many as a chart can show and a page can hold. */
const MOST = 2000;

export class Losses {
  #train: TrainPoint[];
  #test: TestPoint[];
  #added: { train: TrainPoint[]; test: TestPoint[] } = { train: [], test: [] };

  constructor(history: History = { train: [], test: [] }) {
    this.#train = [...history.train];
    this.#test = [...history.test];
  }

  addTrain(point: TrainPoint): void {
    this.#train.push(point);
    this.#added.train.push(point);
    if (this.#train.length > MOST) this.#train = halved(this.#train);
  }

  addTest(point: TestPoint): void {
    this.#test.push(point);
    this.#added.test.push(point);
    if (this.#test.length > MOST) this.#test = this.#test.filter((_, index) => index % 2 === 1);
  }

  get all(): History {
    return { train: this.#train, test: this.#test };
  }

  /** What was added since the last call. */
  takeAdded(): History {
    const added = this.#added;
    this.#added = { train: [], test: [] };
    return added;
  }
}

/** The mean of two neighbours. */
export function halved(points: readonly TrainPoint[]): TrainPoint[] {
  return Array.from({ length: Math.floor(points.length / 2) }, (_, i) => {
    const [a, b] = [points[2 * i]!, points[2 * i + 1]!];
    const mean = (key: "loss" | "reconstruction" | "kl") => (a[key] + b[key]) / 2;
    return { step: b.step, loss: mean("loss"), reconstruction: mean("reconstruction"), kl: mean("kl") };
  });
}
