/** Mouse, touch, wheel and keys on the stage and its divider. */
export interface Moves {
  /** By so many pixels of the screen. */
  move(x: number, y: number): void;
  /** Around a point of the stage; its middle unless given. */
  enlarge(factor: number, x?: number, y?: number): void;
  /** Between the whole picture and its own size. */
  toggle(x: number, y: number): void;
  fit(): void;
  actualSize(): void;
  /** Put the divider at this percentage of the stage's width. */
  divide(percent: number): void;
  cut(): number;
}

const PAN = 60; // pixels a key
const STEP = 1.25;
const LINE = 16; // pixels; some browsers count a wheel in lines

export function followGestures(stage: HTMLElement, divider: HTMLElement, moves: Moves): void {
  followPointers(stage, moves);
  followDivider(stage, divider, moves);
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const [x, y] = within(stage, event.clientX, event.clientY);
      const turned = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
      // two fingers on a trackpad come as a wheel with the control key, in small steps
      moves.enlarge(Math.exp(-turned * (event.ctrlKey ? 0.01 : 0.002)), x, y);
    },
    { passive: false },
  );
  stage.addEventListener("dblclick", (event) => {
    if (event.target === divider) return;
    moves.toggle(...within(stage, event.clientX, event.clientY));
  });
  stage.addEventListener("keydown", (event) => {
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys(moves)[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function keys(moves: Moves): Record<string, () => void> {
  return {
    ArrowLeft: () => moves.move(PAN, 0),
    ArrowRight: () => moves.move(-PAN, 0),
    ArrowUp: () => moves.move(0, PAN),
    ArrowDown: () => moves.move(0, -PAN),
    "+": () => moves.enlarge(STEP),
    "=": () => moves.enlarge(STEP),
    "-": () => moves.enlarge(1 / STEP),
    "0": () => moves.fit(),
    "1": () => moves.actualSize(),
  };
}

function within(stage: HTMLElement, x: number, y: number): [number, number] {
  const { left, top } = stage.getBoundingClientRect();
  return [x - left, y - top];
}

/** One finger or the mouse moves, two fingers enlarge. */
function followPointers(stage: HTMLElement, moves: Moves): void {
  const held = new Map<number, [x: number, y: number]>();
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || (event.target as Element).closest("button, label, input, [role=slider]"))
      return;
    held.set(event.pointerId, [event.clientX, event.clientY]);
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const now: [number, number] = [event.clientX, event.clientY];
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    held.set(event.pointerId, now);
    if (!other) {
      moves.move(now[0] - before[0], now[1] - before[1]);
      return;
    }
    const middle = (point: [number, number]) =>
      [(point[0] + other[0]) / 2, (point[1] + other[1]) / 2] as const;
    const reach = (point: [number, number]) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    const [from, to] = [middle(before), middle(now)];
    moves.move(to[0] - from[0], to[1] - from[1]);
    moves.enlarge(reach(now) / Math.max(reach(before), 1), ...within(stage, ...to));
  });
  for (const end of ["pointerup", "pointercancel"] as const)
    stage.addEventListener(end, (event) => held.delete(event.pointerId));
}

function followDivider(stage: HTMLElement, divider: HTMLElement, moves: Moves): void {
  const follow = (event: PointerEvent) => {
    const { left, width } = stage.getBoundingClientRect();
    moves.divide((100 * (event.clientX - left)) / width);
  };
  divider.addEventListener("pointerdown", (event) => {
    if (event.button === 0) divider.setPointerCapture(event.pointerId);
  });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) follow(event);
  });
  divider.addEventListener("keydown", (event) => {
    const now = moves.cut();
    const to: Record<string, number> = {
      ArrowLeft: now - 2,
      ArrowDown: now - 2,
      ArrowRight: now + 2,
      ArrowUp: now + 2,
      PageDown: now - 10,
      PageUp: now + 10,
      Home: 0,
      End: 100,
    };
    const wished = to[event.key];
    if (wished === undefined) return;
    event.preventDefault();
    moves.divide(wished);
  });
}
