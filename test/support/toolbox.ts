// Registers all ops and layers, like prepare.ts does for a model that needs them.
import { install } from "../../src/toolbox.js";

install();
