export interface FirefoxPage {
  /** A function of the page, its argument and its result as JSON has them. */
  evaluate<Given, Result>(work: (given: Given) => Result | Promise<Result>, argument: Given): Promise<Result>;
  evaluate<Result>(work: () => Result | Promise<Result>): Promise<Result>;
  close(): Promise<unknown>;
}

export interface Firefox {
  readonly version: string;
  /** A tab of its own, when the page has loaded. */
  open(url: string): Promise<FirefoxPage>;
  close(): Promise<void>;
}

/** @throws Error it does not start, or this Node has no WebSocket */
export function launchFirefox(
  program: string,
  options?: { preferences?: Record<string, string | number | boolean>; onMessage?: (text: string) => void },
): Promise<Firefox>;
