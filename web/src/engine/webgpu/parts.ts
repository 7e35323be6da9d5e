/** How a step's grid is cut into dispatches, none of which is more than a GPU is given at once. */

export interface Part {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** Rows and columns of a workgroup, and the multiply-adds of a pixel of the grid. */
interface Grain {
  readonly rows: number;
  readonly columns: number;
  readonly work: number;
}

/** Whole rows of workgroups, or parts of one where a whole one is too much; from the top left. */
export class Parts {
  private top = 0;
  private left = 0;

  constructor(
    private readonly height: number,
    private readonly width: number,
    private readonly grain: Grain,
  ) {}

  get done(): boolean {
    return this.top >= this.height;
  }

  /** Whether so many multiply-adds reach to the end of a row of workgroups. */
  fits(most: number): boolean {
    const { rows, work } = this.grain;
    return Math.min(rows, this.height - this.top) * (this.width - this.left) * work <= most;
  }

  /** The next part of so many multiply-adds at most, and of a workgroup at least. */
  take(most: number): Part {
    const { rows: high, columns: wide, work } = this.grain;
    const { top, left } = this;
    const whole = left === 0 && this.fits(most);
    const down = whole ? Math.floor(most / (work * high * this.width)) : 1;
    const rows = Math.min(Math.max(down, 1) * high, this.height - top);
    const across = Math.floor(most / (work * rows * wide));
    const columns = whole ? this.width : Math.min(Math.max(across, 1) * wide, this.width - left);
    this.left = left + columns < this.width ? left + columns : 0;
    if (this.left === 0) this.top = top + rows;
    return { top, left, rows, columns };
  }
}
