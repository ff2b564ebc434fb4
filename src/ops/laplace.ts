// The Laplace reconstruction term with one scale, fixed or learned (shaders/laplace.wgsl).
import laplaceShader from "../../shaders/laplace.wgsl";
import { locationScale } from "./gaussian.js";

export const { loss: laplace, draw: laplaceSample, ops: laplaceOps } = locationScale("laplace", laplaceShader);
