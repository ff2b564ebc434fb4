// wgsl_reflect ships no types for its module file; these cover what build/wgsl.mjs uses.
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export interface TypeInfo {
    readonly name: string;
    /** The element type of an array or vector. */
    readonly format?: TypeInfo;
  }
  export interface VariableInfo {
    readonly name: string;
    readonly group: number;
    readonly binding: number;
    readonly access: string;
    /** 0: uniform. */
    readonly resourceType: number;
    readonly size: number;
    readonly type: TypeInfo;
    readonly members?: readonly {
      readonly name: string;
      readonly offset: number;
      readonly count: number;
      readonly type: TypeInfo;
    }[];
  }
  export interface EntryInfo {
    readonly name: string;
    readonly resources: readonly { readonly name: string }[];
    readonly attributes?: readonly { readonly name: string; readonly value: string | readonly string[] }[];
  }
  export class WgslReflect {
    constructor(code: string);
    readonly entry: { readonly compute: readonly EntryInfo[] };
    getBindGroups(): readonly (readonly (VariableInfo | undefined)[])[];
  }
}
