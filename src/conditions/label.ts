// The label of each example.
import { countAt, invalid, quoted } from "../checks.js";
import { invalidOption } from "../options.js";
import { besideEncoder } from "./beside.js";
import type { ConditionType } from "./definition.js";
import type { LabelCondition } from "./json.js";

/** A data set has a byte for each label. */
const MOST = 256;

export const labelType: ConditionType<LabelCondition> = {
  example: '{ type: "label", classes }',
  words: [[/class|label|categor|one.?hot|target/i, '{ type: "label", classes: 10 }']],
  needs: {
    classes(value, place) {
      const count = countAt(value, place, 2);
      if (count > MOST) invalid(`${place}: at most ${MOST}, found ${count}`);
      return count;
    },
  },
  size: ({ classes }) => classes,
  beside: besideEncoder,
  check({ classes }, { labels, name }, what) {
    const named = `${what} ${name}`.trim();
    if (!labels) {
      invalid(
        `${named}: it has no labels, and this model is conditioned on them; fromArray(values, { shape, labels }) gives ` +
          "a data set with labels",
        "INVALID_DATA",
      );
    }
    const bad = labels.findIndex((label) => label >= classes);
    if (bad >= 0) {
      invalid(
        `${named}: label ${bad} is ${labels[bad]}, and the model has the classes 0 to ${classes - 1}`,
        "INVALID_DATA",
      );
    }
  },
  rows({ classes }, place, count, given, data) {
    const found = given ?? data?.labels;
    const hint = `a class from 0 to ${classes - 1} for all examples, or one for each`;
    if (found === undefined) {
      throw invalidOption(`${place}: this model is conditioned on labels, so it needs the option condition: ${hint}`);
    }
    const isList = Array.isArray(found) || found instanceof Uint8Array;
    const labels: readonly unknown[] | Uint8Array = isList ? found.slice() : [found];
    if (isList && labels.length !== count) {
      throw invalidOption(`${place}: condition has ${labels.length} labels for ${count} examples; give ${hint}`);
    }
    labels.forEach((label: unknown, i) => {
      if (!Number.isInteger(label) || (label as number) < 0 || (label as number) >= classes) {
        const which = isList ? `condition[${i}]` : "condition";
        throw invalidOption(`${place}: ${which} must be ${hint}, not ${quoted(label)}`);
      }
    });
    return (first, rows) => {
      const made = new Float32Array(rows * classes);
      for (let row = 0; row < rows; row++) made[row * classes + Number(labels[isList ? first + row : 0])] = 1;
      return made;
    };
  },
};
