// In the bundle the same text in all files of one build (build/bundle.mjs); elsewhere there is no such name.
declare const RELEASE: string | undefined;
