/** What a Content-Security-Policy forbade since the program began, for the messages of errors. */

const directives = new Set<string>();

let watched = false;

/** Look at violations from now on; those that are only reported are none. */
export function watchPolicy(): void {
  if (watched) return;
  watched = true;
  const { addEventListener: listen } = globalThis as { addEventListener?: typeof window.addEventListener };
  if (typeof SecurityPolicyViolationEvent === "undefined" || !listen) return;
  const target: EventTarget = typeof document === "undefined" ? globalThis : document;
  target.addEventListener("securitypolicyviolation", (event) => {
    const { effectiveDirective, blockedURI, disposition } = event as SecurityPolicyViolationEvent;
    if (disposition !== "enforce") return;
    // eval is named where WebAssembly was meant
    if (/wasm-eval|^eval$/.test(blockedURI)) directives.add(`${effectiveDirective} 'wasm-unsafe-eval'`);
    else if (
      /^(worker-src|child-src|script-src|script-src-elem|connect-src|default-src)$/.test(effectiveDirective)
    )
      directives.add(
        `${effectiveDirective} ${blockedURI.startsWith("blob") ? "blob:" : (/^\w+:\/\/[^/]+/.exec(blockedURI)?.[0] ?? blockedURI)}`,
      );
  });
}
/** How many kinds of violations were seen. */
export function violations(): number {
  return directives.size;
}

/** The end of a sentence: which directives are in the way, or nothing. */
export function blocked(): string {
  if (!directives.size) return "";
  return `; the page's Content-Security-Policy forbids it and must allow: ${[...directives].join("; ")}`;
}
