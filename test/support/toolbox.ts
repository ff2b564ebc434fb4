// Makes all ops and layers known, as prepare.ts does for a model that has them.
import { install } from "../../src/toolbox.js";

install();
