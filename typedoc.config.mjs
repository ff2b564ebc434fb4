// npm run docs: one page per export of each entry, in docs/api. Any warning makes it fail.
import { Converter } from "typedoc";
import { ENTRIES } from "./build/entries.mjs";

/** @type {import("typedoc").TypeDocOptions} */
export default {
  name: "webvae",
  entryPoints: ENTRIES.map(({ source }) => source),
  tsconfig: "docs/tsconfig.json",
  out: "docs/api",
  cleanOutputDir: true,
  excludePrivate: true,
  excludeInternal: true,
  disableSources: true,
  hideGenerator: true,
  treatWarningsAsErrors: true,
  // Lists that types are derived from; the types already show their contents.
  intentionallyNotExported: ["src/tensor.ts:activations", "src/ops/op.ts:schedules"],
  requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Variable"],
  validation: { notExported: true, invalidLink: true, notDocumented: true, unusedMergeModuleWith: true },
  plugin: [
    // Modules have their import names.
    (app) => {
      app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
        const [file] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
        const entry = ENTRIES.find(({ source }) => file?.getSourceFile().fileName.endsWith(`/${source}`));
        if (entry && reflection.parent === context.project) reflection.name = entry.specifier;
      });
    },
  ],
};
