// The losses as figures, a sentence and a table: the chart's content for those who cannot see it.
import type { History, TrainPoint } from "../protocol.js";
import { find, say } from "./dom.js";
import { count, shortLoss } from "./figures.js";

/** The most rows: as many as a table can have and still be read. */
const MOST_ROWS = 60;
let rowsOf = "";

/** The mean of the last tenth of the points, at most twenty, since the training loss of a few examples jumps. */
function recent({ train }: History): TrainPoint | undefined {
  const last = train.at(-1);
  if (!last) return undefined;
  const points = train.slice(-Math.min(20, Math.ceil(train.length / 10)));
  const mean = (key: "loss" | "reconstruction" | "kl") =>
    points.reduce((sum, point) => sum + point[key], 0) / points.length;
  return { step: last.step, loss: mean("loss"), reconstruction: mean("reconstruction"), kl: mean("kl") };
}

export function showFigures(history: History): void {
  const { test } = history;
  const last = recent(history);
  const tested = test.at(-1);
  say("train-loss", last ? shortLoss(last.loss) : "–");
  say("test-loss", tested ? shortLoss(tested.loss) : "–");
  say("reconstruction-loss", last ? shortLoss(last.reconstruction) : "–");
  say("kl-loss", last ? shortLoss(last.kl) : "–");
}

/** Also read out by screen readers. */
export function summary(history: History): string {
  const { train, test } = history;
  const [first, last] = [train[0], recent(history)];
  if (!first || !last) return "Not trained yet.";
  const begun = `After ${count(last.step, "step")} the training loss is ${shortLoss(last.loss)} nats; it started at ${shortLoss(first.loss)}.`;
  const [before, tested] = test.slice(-2);
  if (!before) return begun;
  if (!tested) return `${begun} Test: ${shortLoss(before.loss)}.`;
  const change = before.loss - tested.loss;
  const moved = `${change >= 0 ? "fell" : "rose"} by ${shortLoss(Math.abs(change))} in the last epoch`;
  return `${begun} Test: ${shortLoss(tested.loss)}; it ${moved}.`;
}

export function showWords(history: History): void {
  say("losses-summary", summary(history));
  if (find<HTMLDetailsElement>("losses-details").open) showTable(history);
}

/** One row per epoch, newest first; for long runs only every few epochs. */
export function showTable({ test }: History): void {
  const key = `${test.length} ${test.at(-1)?.step}`;
  if (key === rowsOf) return;
  rowsOf = key;
  const stride = Math.ceil(test.length / MOST_ROWS);
  const chosen = test.filter((_, index) => (test.length - 1 - index) % stride === 0).reverse();
  const rows = chosen.map(({ epoch, train, loss, reconstruction, kl }) => {
    const row = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), { scope: "row", textContent: String(epoch) });
    const cells = [train, loss, reconstruction, kl].map((value) =>
      Object.assign(document.createElement("td"), { textContent: shortLoss(value, 2) }),
    );
    row.append(head, ...cells);
    return row;
  });
  find("losses-table").replaceChildren(...rows);
}
