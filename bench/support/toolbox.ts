// Makes all ops and layers known before the cases of ops are made; a VAE would load what it needs itself.
import { install } from "../../src/toolbox.js";

install();
