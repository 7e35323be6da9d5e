/** A line of progress on a terminal; nothing where stderr is no terminal. */
export class ProgressBar {
  private shown = false;

  constructor(private readonly stream: NodeJS.WriteStream | undefined) {}

  /** @param share from 0 to 1 */
  show(label: string, share: number): void {
    if (!this.stream?.isTTY) return;
    const width = 24;
    const full = Math.round(share * width);
    const bar = "█".repeat(full) + "·".repeat(width - full);
    this.stream.write(`\r\u001b[K${bar} ${String(Math.floor(share * 100)).padStart(3)} % ${label}`);
    this.shown = true;
  }

  clear(): void {
    if (this.shown) this.stream?.write("\r\u001b[K");
    this.shown = false;
  }
}
