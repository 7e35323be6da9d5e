/**
 * Which buffer each map lies in. Maps that are joined lie behind one another in one buffer, so that joining them is
 * nothing; all but the first, which is a block's input and lives on after it. A buffer is used again when all that is in
 * it was read.
 */
import { channelsOf, type Layer } from "../kernels/layers.js";
import { NONE, type Item } from "../kernels/items.js";
import type { Element } from "./spec.js";

/** Groups of four channels from `group` on in a slot. */
export interface Place {
  readonly slot: number;
  readonly group: number;
}

export interface Slots {
  /** For each item where convolutions read it. */
  readonly sources: ReadonlyMap<number, Place>;
  /** For each item where sums read it, in float32. */
  readonly sums: ReadonlyMap<number, Place>;
  /** Bytes of each slot for each pixel of the input's grid. */
  readonly bytes: readonly number[];
}

interface Block {
  readonly items: readonly number[];
  readonly kind: "sources" | "sums";
  readonly bytes: number;
  from: number;
  to: number;
}

export function groupsOf(layer: Layer): number {
  return Math.ceil(channelsOf(layer) / 4);
}

/** Items whose maps convolutions read, and those that sums read in float32 where that is not the same. */
export interface Needs {
  readonly sources: ReadonlySet<number>;
  readonly sums: ReadonlySet<number>;
}

/**
 * @param areas pixels of each item's map for a pixel of the input's grid
 * @param bytesOf bytes of four channels
 * @param apart whether what sums read is another copy than what convolutions read
 */
export function planSlots(
  items: readonly Item[],
  areas: readonly number[],
  bytesOf: (element: Element) => number,
  apart: boolean,
  needs: Needs,
): Slots {
  const groups = items.map(({ layer }) => (layer === "store" ? 0 : groupsOf(layer)));
  const blocks = [...sourceBlocks(items, needs)].map((members): Block => {
    const size = members.reduce((sum, item) => sum + groups[item]! * areas[item]!, 0);
    return {
      items: members,
      kind: "sources",
      bytes: size * bytesOf(apart ? "half" : "full"),
      from: 0,
      to: 0,
    };
  });
  for (const item of needs.sums) {
    if (!apart && needs.sources.has(item)) continue;
    const bytes = groups[item]! * areas[item]! * bytesOf("full");
    blocks.push({ items: [item], kind: "sums", bytes, from: 0, to: 0 });
  }
  for (const block of blocks) {
    const reads = (item: Item) => {
      const both = !apart || block.kind === "sums" ? item.residuals : [];
      const read = [...(block.kind === "sources" ? item.sources : []), ...both];
      return read.some((number) => block.items.includes(number));
    };
    block.from = Math.min(...block.items);
    block.to = items.reduce((last, item, index) => (reads(item) ? index : last), block.from);
  }
  const { numbers, bytes } = allocate(blocks);
  const [sources, sums] = [new Map<number, Place>(), new Map<number, Place>()];
  blocks.forEach((block, index) => {
    let group = 0;
    for (const item of block.items) {
      const place = { slot: numbers[index]!, group };
      if (block.kind === "sources") sources.set(item, place);
      if (block.kind === "sums" || (!apart && needs.sums.has(item))) sums.set(item, place);
      group += groups[item]!;
    }
  });
  return { sources, sums, bytes };
}

/** Maps that convolutions read: those that are joined behind a first one together, every other alone. */
function* sourceBlocks(items: readonly Item[], needs: Needs): Iterable<number[]> {
  const placed = new Set<number>();
  const joins = items.map(({ sources }) => sources.slice(1)).sort((a, b) => b.length - a.length);
  for (const join of joins) {
    const isFree = join.every((item) => item !== NONE && !placed.has(item));
    if (join.length === 0 || !isFree || new Set(join).size < join.length) continue;
    join.forEach((item) => placed.add(item));
    yield join;
  }
  for (const item of needs.sources) if (!placed.has(item)) yield [item];
}

/** A slot for each block: the smallest free one that holds it, else the largest free one, which grows, else a new one. */
function allocate(blocks: readonly Block[]): { numbers: number[]; bytes: number[] } {
  const numbers: number[] = [];
  const slots: { bytes: number; until: number }[] = [];
  const order = [...blocks.keys()].sort((a, b) => blocks[a]!.from - blocks[b]!.from);
  for (const index of order) {
    const { bytes, from, to } = blocks[index]!;
    const free = [...slots.keys()].filter((slot) => slots[slot]!.until < from);
    const size = (slot: number) => slots[slot]!.bytes;
    free.sort((a, b) => size(a) - size(b));
    const slot = free.find((one) => size(one) >= bytes) ?? free.at(-1) ?? slots.length;
    slots[slot] = { bytes: Math.max(slots[slot]?.bytes ?? 0, bytes), until: to };
    numbers[index] = slot;
  }
  // the largest first, so that trunk and tail share what is large
  const ranks = [...slots.keys()].sort((a, b) => slots[b]!.bytes - slots[a]!.bytes);
  return {
    numbers: numbers.map((slot) => ranks.indexOf(slot)),
    bytes: ranks.map((slot) => slots[slot]!.bytes),
  };
}
