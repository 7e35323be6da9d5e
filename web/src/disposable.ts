/** `Symbol.asyncDispose` for compilers whose library does not declare it yet; the same words as TypeScript's own. */
declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

export {};
