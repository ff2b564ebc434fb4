// Views that show decoded examples: as pictures, or as points in the plane.
import { Picture } from "./picture.js";
import { Scatter } from "./scatter.js";
import { isPlanar } from "./shapes.js";
import type { Space } from "./space.js";
import type { Theme } from "./theme.js";
import type { Announcer } from "./announcer.js";

/** What each section of the explorer receives. */
export interface Scene {
  readonly space: Space;
  readonly theme: Theme;
  readonly announcer: Announcer;
  readonly fail: (error: unknown) => void;
  /** Opens the first section at a position. */
  readonly visit: (z: Float32Array) => void;
}

/** One of the explorer's sections. Only the visible one has to show anything. */
export interface Section {
  readonly name: string;
  readonly element: HTMLElement;
  /** Shows the current state. Called when the section becomes visible, or weights or points change. */
  show(): void;
  /** Called when the section is no longer visible. */
  hide?(): void;
  dispose(): void;
}

export type View = Picture | Scatter;

export function viewOf({ space, theme, fail }: Scene, label: string): View {
  return isPlanar(space.model.spec) ? new Scatter(space, theme, label, fail) : new Picture(space, theme, label, fail);
}
