import type { Message, StacksMessage } from '../model/message.ts';
import { type CallNode, callTree, heaviestFirst } from './call-tree.ts';
import { moved, scrolled, within } from './cursor.ts';
import { character, type Key } from './key.ts';
import { clip, type Line, type Size, span, spread } from './line.ts';
import { type Hint, matcher, type Pane } from './pane.ts';
import { textWidth } from './text-width.ts';

const barWidth = 10;
const eighths = ' ▏▎▍▌▋▊▉█';
/** Lines that a tree may be unfolded to. */
const mostLines = 20_000;
/** A branch that takes nearly all of its parent is no choice: it is opened with it. */
const sameAsParent = 0.95;

/** A line of the unfolded tree. */
interface Branch {
  readonly node: CallNode;
  readonly depth: number;
  /** Names from the root, by which it is found again in the next tree. */
  readonly path: string;
  readonly parent: string;
}

/** What was seen on stacks, as a tree of calls that opens where one looks. */
export class TreePane implements Pane {
  readonly title = 'stacks';
  #latest: StacksMessage | undefined;
  #shown: StacksMessage | undefined;
  #frozen = false;
  #filter = '';
  #tree: CallNode | undefined;
  #branches: Branch[] | undefined;
  /** Paths that are open; those that were closed by hand are not opened with their parents. */
  readonly #open = new Set<string>();
  #selected = '';
  #at = 0;
  #top = 0;
  #page = 1;

  get used(): boolean {
    return this.#latest !== undefined;
  }

  get summary(): string {
    const { stacks = [] } = this.#shown ?? {};
    return `${stacks.length.toLocaleString('en')} stack${stacks.length === 1 ? '' : 's'}`;
  }

  get hints(): readonly Hint[] {
    return [
      ['↑↓', 'move'],
      ['→←', 'open, close'],
      ['e', 'open all below'],
      ['c', 'close all'],
    ];
  }

  receive(message: Message): void {
    if (message.type === 'stacks') {
      this.#latest = message;
      if (!this.#frozen) {
        this.#show(message);
      }
    }
  }

  reset(): void {
    this.#latest = undefined;
    this.#show(undefined);
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    if (!frozen) {
      this.#show(this.#latest);
    }
  }

  filter(text: string): void {
    this.#filter = text;
    this.#show(this.#shown);
  }

  key(key: Key): boolean {
    const branches = this.#unfolded();
    const branch = branches[this.#at];
    const next = moved(key, this.#at, this.#page, branches.length);
    if (next !== undefined) {
      this.#select(within(next, branches.length));
      return true;
    }
    if (branch === undefined) {
      return false;
    }
    const isOpen = this.#open.has(branch.path);
    switch (typeof key === 'string' ? key : character(key)) {
      case 'right':
        if (isOpen) {
          this.#select(within(this.#at + 1, branches.length));
        } else {
          this.#unfold(branch.node, branch.path);
        }
        return true;
      case 'left':
        if (isOpen) {
          this.#fold(branch.path);
        } else {
          this.#selected = branch.parent === '' ? branch.path : branch.parent;
        }
        return true;
      case 'enter':
        if (isOpen) {
          this.#fold(branch.path);
        } else {
          this.#unfold(branch.node, branch.path);
        }
        return true;
      case 'e':
        this.#unfoldAll(branch.node, branch.path);
        return true;
      case 'c':
        this.#open.clear();
        this.#branches = undefined;
        return true;
      default:
        return false;
    }
  }

  render({ width, height }: Size): Line[] {
    const { unit = '' } = this.#shown ?? {};
    const all = this.#tree?.weight ?? 0;
    const branches = this.#unfolded();
    const followed = branches.findIndex(({ path }) => path === this.#selected);
    this.#at = within(followed >= 0 ? followed : this.#at, branches.length);
    const rowsHeight = Math.max(1, height - 1);
    this.#page = Math.max(1, rowsHeight - 1);
    this.#top = scrolled(this.#top, this.#at, rowsHeight, branches.length);
    const bars = width >= 60;
    const weightWidth = Math.max(unit.length, all.toLocaleString('en').length);
    const weights = width >= 50;
    const title = `${bars ? ' '.repeat(barWidth + 1) : ''} SHARE  ${weights ? `${unit.toUpperCase().padStart(weightWidth)}  ` : ''}FUNCTION`;
    const header = spread([span(title, 'header')], [span(`${all.toLocaleString('en')} ${unit}`, 'dim')], width);
    const lines = branches.slice(this.#top, this.#top + rowsHeight).map((branch, i): Line => {
      const { node, depth, path } = branch;
      const share = all === 0 ? 0 : node.weight / all;
      const mark = node.children.size === 0 ? '  ' : this.#open.has(path) ? '▾ ' : '▸ ';
      // Deep stacks are the rule: what would leave the screen is indented no further.
      const indent = ' '.repeat(Math.min(depth, Math.max(2, Math.floor(width / 3))));
      const kernel = node.name.endsWith('_[k]');
      const name = kernel ? node.name.slice(0, -'_[k]'.length) : node.name;
      const parts: Line = [
        ...(bars ? [span(`${bar(share)} `, 'accent')] : []),
        span(`${(share * 100).toFixed(1).padStart(5)}%  `),
        ...(weights ? [span(`${node.weight.toLocaleString('en').padStart(weightWidth)}  `, 'dim')] : []),
        span(`${indent}${mark}`, 'dim'),
        span(name, ...(depth === 0 ? (['strong'] as const) : [])),
        ...(kernel ? [span(' kernel', 'dim')] : []),
      ];
      const line = clip(parts, width);
      const selected = this.#top + i === this.#at;
      return selected ? [span(line.map(({ text }) => text).join(''), 'selected')] : line;
    });
    return [header, ...lines];
  }

  details(): readonly (readonly [string, string])[] | undefined {
    return undefined;
  }

  #select(at: number): void {
    this.#at = at;
    this.#selected = this.#unfolded()[at]?.path ?? '';
  }

  #show(message: StacksMessage | undefined): void {
    const matches = matcher(this.#filter);
    const first = this.#tree === undefined;
    this.#shown = message;
    this.#branches = undefined;
    this.#tree = message && callTree(message, (names) => this.#filter === '' || names.some((name) => matches(name)));
    const heaviest = this.#tree && heaviestFirst(this.#tree)[0];
    if (first && heaviest !== undefined) {
      this.#unfold(heaviest, pathOf('', heaviest));
    }
  }

  /** Opens a branch, and what follows from it without a choice. */
  #unfold(node: CallNode, path: string): void {
    let at = node;
    let name = path;
    for (;;) {
      this.#open.add(name);
      const [heaviest] = heaviestFirst(at);
      if (heaviest === undefined || heaviest.weight < at.weight * sameAsParent) {
        break;
      }
      name = pathOf(name, heaviest);
      at = heaviest;
    }
    this.#bound();
  }

  #unfoldAll(node: CallNode, path: string): void {
    const waiting: [CallNode, string][] = [[node, path]];
    for (let i = 0; i < waiting.length && i < mostLines; i++) {
      const [one, name] = waiting[i] as [CallNode, string];
      this.#open.add(name);
      for (const child of one.children.values()) {
        waiting.push([child, pathOf(name, child)]);
      }
    }
    this.#bound();
  }

  #fold(path: string): void {
    this.#open.delete(path);
    this.#branches = undefined;
  }

  /** The paths of trees that are gone are forgotten at some point. */
  #bound(): void {
    this.#branches = undefined;
    for (const path of this.#open) {
      if (this.#open.size <= 2 * mostLines) {
        break;
      }
      this.#open.delete(path);
    }
  }

  #unfolded(): Branch[] {
    if (this.#branches !== undefined) {
      return this.#branches;
    }
    const branches: Branch[] = [];
    const waiting: Branch[] = [];
    const push = (node: CallNode, depth: number, parent: string) => {
      for (const child of heaviestFirst(node).reverse()) {
        waiting.push({ node: child, depth, path: pathOf(parent, child), parent });
      }
    };
    if (this.#tree !== undefined) {
      push(this.#tree, 0, '');
    }
    for (let next = waiting.pop(); next !== undefined && branches.length < mostLines; next = waiting.pop()) {
      branches.push(next);
      if (this.#open.has(next.path)) {
        push(next.node, next.depth + 1, next.path);
      }
    }
    this.#branches = branches;
    return branches;
  }
}

// No name holds a NUL: text is escaped.
function pathOf(parent: string, { name }: CallNode): string {
  return `${parent}\0${name}`;
}

/** A share as a bar of eighths. */
function bar(share: number): string {
  const steps = Math.max(share > 0 ? 1 : 0, Math.round(share * barWidth * 8));
  const full = '█'.repeat(Math.floor(steps / 8));
  const text = steps % 8 === 0 ? full : full + eighths[steps % 8];
  return text + ' '.repeat(barWidth - textWidth(text));
}
