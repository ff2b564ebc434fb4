// The importance-weighted bound.
import { ONE } from "../graph.js";
import { wholeNumber } from "../options.js";
import { importance } from "../ops/importance.js";
import type { ObjectiveType, Pass } from "./definition.js";
import type { ImportanceObjective } from "./json.js";

const MOST = 1024;

export const importanceType: ObjectiveType<ImportanceObjective> = {
  example: '{ type: "iwae", samples }',
  words: [[/iw|importance|bound/i, '{ type: "iwae", samples: 5 }']],
  needs: { samples: (value, place) => wholeNumber(place, value, MOST) },
  copies: ({ samples }) => samples,
  fixed: ["beta", "noise"],
  terms(g, pass, terms) {
    const reported = terms.map(({ name, value }) => ({ name, value }));
    return [...reported, { name: "bound", value: g.output(boundOf(pass), "bound"), knob: ONE }];
  },
};

/** The node of the bound of a pass. With the knob `draws` only so many draws of each example count. */
export const boundOf = ({ batch, reconstruction, ratio }: Pass, draws?: string) =>
  importance([reconstruction, ...ratio], batch, draws);
