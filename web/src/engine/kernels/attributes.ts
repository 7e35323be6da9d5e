/** Attributes of a node in a graph of TF.js. */
import type { GraphNode } from "../../models/manifest.js";

type Attribute = { readonly [kind in "s" | "i" | "f"]?: unknown } & {
  readonly list?: { readonly s?: unknown[]; readonly i?: unknown[] };
};

function attributeOf(node: GraphNode, name: string): Attribute | undefined {
  return node.attr?.[name] as Attribute | undefined;
}

export function numbersOf(node: GraphNode, name: string): number[] | undefined {
  return attributeOf(node, name)?.list?.i?.map(Number);
}

export function numberOf(node: GraphNode, name: string): number | undefined {
  const value = attributeOf(node, name)?.i;
  return value === undefined ? undefined : Number(value);
}

export function textOf(node: GraphNode, name: string): string | undefined {
  const value = attributeOf(node, name)?.s;
  return value === undefined ? undefined : atob(value as string);
}

export function textsOf(node: GraphNode, name: string): string[] {
  return (attributeOf(node, name)?.list?.s ?? []).map((value) => atob(value as string));
}

export function alphaOf(node: GraphNode, name: string): number {
  return Number(attributeOf(node, name)?.f ?? 0.2);
}
