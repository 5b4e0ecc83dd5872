import { foldedFrames } from '../model/frames.ts';
import type { StacksMessage } from '../model/message.ts';

/** A function as it was called by those above it, with what was seen in it and below. */
export interface CallNode {
  readonly name: string;
  /** Its own stack was this one: nothing further was called. */
  self: number;
  weight: number;
  readonly children: Map<string, CallNode>;
}

/** Nodes that a tree may have; what comes after that is counted where it leaves the tree. */
const mostNodes = 200_000;

/**
 * The stacks as one tree from the outermost frame inwards.
 * @param wanted which stacks count, by the names on them
 */
export function callTree({ stacks, tip }: StacksMessage, wanted: (names: readonly string[]) => boolean): CallNode {
  const root: CallNode = { name: '', self: 0, weight: 0, children: new Map() };
  let nodes = 0;
  for (const one of stacks) {
    const names = foldedFrames(one, tip);
    if (!wanted(names)) {
      continue;
    }
    let node = root;
    node.weight += one.weight;
    for (const name of names) {
      let child = node.children.get(name);
      if (child === undefined) {
        if (nodes >= mostNodes) {
          break;
        }
        nodes++;
        child = { name, self: 0, weight: 0, children: new Map() };
        node.children.set(name, child);
      }
      child.weight += one.weight;
      node = child;
    }
    node.self += one.weight;
  }
  return root;
}

/** The children of a node, the heaviest first. */
export function heaviestFirst(node: CallNode): CallNode[] {
  return [...node.children.values()].sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1));
}
