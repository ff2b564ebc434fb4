// The models that are compared, by name, each with its default batch size.
import { models } from "../../src/index.js";
import type { SpecJson } from "./layers.js";

export interface ComparedModel {
  readonly spec: SpecJson;
  readonly batch: number;
}

const digits = [28, 28, 1];
const pictures = [64, 64, 3];

export const comparedModels: Readonly<Record<string, ComparedModel>> = {
  mlp: { spec: models.mlp(digits, 20), batch: 128 },
  conv: { spec: models.conv(digits, 2), batch: 32 },
  conv64: { spec: models.conv64(pictures, 128), batch: 16 },
};
