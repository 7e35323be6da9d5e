/** Numbers as people say them. */

/** A duration, roughly: "12 s", "3 min", "1 h 10 min". */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 1) return "less than 1 s";
  if (seconds < 10) return `${Math.round(seconds)} s`;
  if (seconds < 90) return `${Math.round(seconds / 5) * 5} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`;
}

/** Bytes: "640 B", "12 kB", "1.2 MB". */
export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  const millions = bytes / 1_000_000;
  return `${millions < 10 ? millions.toFixed(1) : Math.round(millions)} MB`;
}

export const pixels = (width: number, height: number) => `${width} × ${height} pixels`;

/** How long it will still take. */
export class Remaining {
  private readonly started = performance.now();

  /** @param expected milliseconds for the whole, where that is known */
  constructor(private readonly expected: number | undefined) {}

  /** @returns milliseconds, or undefined while nothing can be said */
  at(share: number): number | undefined {
    const elapsed = performance.now() - this.started;
    const measured = share > 0.02 ? (elapsed * (1 - share)) / share : undefined;
    if (this.expected === undefined) return share > 0.1 ? measured : undefined;
    const before = this.expected * (1 - share);
    // what was expected counts less and less
    return measured === undefined ? before : share * measured + (1 - share) * before;
  }
}

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
