/** How much a GPU is given at once, so that it is free again soon: for the page, for the system, and for an abort. */
const SOON = 50; // ms of a submission, and so of a dispatch
const FIRST = 2e7; // multiply-adds, before anything was measured
const GROWTH = 4; // the most by which what is given grows at once

export class Pace {
  /** @param most multiply-adds of a submission */
  constructor(public most = FIRST) {}

  /** @param milliseconds that a submission of so much work took */
  note(work: number, milliseconds: number): void {
    const fitting = (work * SOON) / Math.max(milliseconds, 0.1);
    // a submission that was not full says little of a full one: it only ever lets more through
    if (fitting < this.most && milliseconds < SOON / 2) return;
    this.most = Math.min(fitting, this.most * GROWTH);
  }
}
