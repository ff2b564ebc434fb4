// What shows decoded examples: pictures, or points in the plane.
import { Picture } from "./picture.js";
import { Scatter } from "./scatter.js";
import { isPlanar } from "./shapes.js";
import type { Space } from "./space.js";
import type { Theme } from "./theme.js";
import type { Announcer } from "./announcer.js";

/** What a section of the explorer is given. */
export interface Scene {
  readonly space: Space;
  readonly theme: Theme;
  readonly announcer: Announcer;
  readonly fail: (error: unknown) => void;
  /** Goes to a place in the first section. */
  readonly visit: (z: Float32Array) => void;
}

/** One of the explorer's sections. Only the one that is seen is asked to show anything. */
export interface Section {
  readonly name: string;
  readonly element: HTMLElement;
  /** Shows what is current: it has become visible, or weights or points are others. */
  show(): void;
  /** It is out of sight from now on. */
  hide?(): void;
  dispose(): void;
}

export type View = Picture | Scatter;

export function viewOf({ space, theme, fail }: Scene, label: string): View {
  return isPlanar(space.model.spec) ? new Scatter(space, theme, label, fail) : new Picture(space, theme, label, fail);
}
