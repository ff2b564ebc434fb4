// A page that shows the recorded run and nothing else.
import { showRecorded } from "../../../demo/recorded/show.js";

const root = document.getElementById("recorded")!;
Object.assign(globalThis, { shown: showRecorded(root) });
