import { foldedFrames } from '../model/frames.ts';
import type { StacksMessage } from '../model/message.ts';

interface Node {
  readonly name: string;
  weight: number;
  readonly children: Map<string, Node>;
}

const WIDTH = 1200;
const ROW = 17;
const HEAD = 44;
const MARGIN = 10;
/** Frames narrower than this many pixels are left out; zooming does not bring them back. */
const NARROWEST = 0.1;
const LETTER = 7;

/**
 * A flame graph as one self-contained SVG file: readable without its script, which adds zooming by click and search.
 * The widths are shares of the weight, the root is at the bottom.
 */
export function renderFlameGraph({ stacks, unit, tip }: StacksMessage, title: string): string {
  const root: Node = { name: 'all', weight: 0, children: new Map() };
  for (const one of stacks) {
    let node = root;
    node.weight += one.weight;
    for (const name of foldedFrames(one, tip)) {
      const child = node.children.get(name) ?? { name, weight: 0, children: new Map() };
      child.weight += one.weight;
      node.children.set(name, child);
      node = child;
    }
  }
  const scale = (WIDTH - 2 * MARGIN) / Math.max(root.weight, 1);
  const depth = depthOf(root, scale);
  const height = HEAD + (depth + 1) * ROW + MARGIN;
  const frames: string[] = [];
  draw(root, MARGIN, 0, { scale, height, unit, total: root.weight, frames });
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">
<title>${xml(title)}</title>
<style>
svg { background: #fffdf7; font: 12px monospace; }
.frame rect { stroke: #fffdf7; stroke-width: 0.5; }
.frame:hover rect { stroke: #222; }
.frame { cursor: pointer; }
.frame text { pointer-events: none; }
.frame.match rect { fill: #c050e0; }
.frame.faded { opacity: 0.5; }
.button { cursor: pointer; fill: #06c; }
h1, .head { font-size: 15px; }
</style>
<text x="${WIDTH / 2}" y="20" text-anchor="middle" class="head">${xml(title)}</text>
<text id="reset" x="${MARGIN}" y="20" class="button"></text>
<text id="search" x="${WIDTH - MARGIN}" y="20" text-anchor="end" class="button"></text>
<text id="detail" x="${MARGIN}" y="38"></text>
<g id="frames">
${frames.join('\n')}
</g>
<script><![CDATA[${script}]]></script>
</svg>
`;
}

function depthOf(node: Node, scale: number): number {
  let deepest = 0;
  for (const child of node.children.values()) {
    if (child.weight * scale >= NARROWEST) {
      deepest = Math.max(deepest, 1 + depthOf(child, scale));
    }
  }
  return deepest;
}

interface Drawing {
  readonly scale: number;
  readonly height: number;
  readonly unit: string;
  readonly total: number;
  readonly frames: string[];
}

function draw(node: Node, x: number, level: number, drawing: Drawing): void {
  const { scale, height, unit, total, frames } = drawing;
  const width = node.weight * scale;
  const y = height - MARGIN - (level + 1) * ROW;
  const share = ((100 * node.weight) / Math.max(total, 1)).toFixed(2);
  const room = Math.floor((width - 6) / LETTER);
  const label = room < 3 ? '' : node.name.length <= room ? node.name : `${node.name.slice(0, room - 2)}..`;
  frames.push(
    `<g class="frame" data-x="${x.toFixed(2)}" data-w="${width.toFixed(2)}" data-n="${xml(node.name)}">` +
      `<title>${xml(`${node.name} (${node.weight} ${unit}, ${share} %)`)}</title>` +
      `<rect x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${ROW - 1}" fill="${colour(node.name)}" rx="1"/>` +
      `<text x="${(x + 3).toFixed(2)}" y="${y + 12}">${xml(label)}</text></g>`,
  );
  let at = x;
  for (const child of [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (child.weight * scale >= NARROWEST) {
      draw(child, at, level + 1, drawing);
    }
    at += child.weight * scale;
  }
}

/** Warm colours for user frames, cool ones for the kernel's: the same name always has the same. */
function colour(name: string): string {
  let hash = 0;
  for (const letter of name) {
    hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  }
  const hue = name.endsWith('_[k]') ? 190 + (hash % 40) : 15 + (hash % 40);
  return `hsl(${hue},${65 + (hash % 25)}%,${62 + (hash % 12)}%)`;
}

function xml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}

const script = `
(function () {
  var left = ${MARGIN}, whole = ${WIDTH - 2 * MARGIN}, letter = ${LETTER};
  var frames = Array.prototype.slice.call(document.querySelectorAll('.frame'));
  var detail = document.getElementById('detail'), reset = document.getElementById('reset');
  var search = document.getElementById('search');
  search.textContent = 'Search';
  function number(frame, name) { return parseFloat(frame.getAttribute('data-' + name)); }
  function zoom(target) {
    var from = number(target, 'x'), width = number(target, 'w'), scale = whole / width;
    frames.forEach(function (frame) {
      var x = number(frame, 'x'), w = number(frame, 'w');
      var outside = x + w <= from + 0.001 || x >= from + width - 0.001;
      frame.style.display = outside ? 'none' : '';
      if (outside) return;
      var start = Math.max(x, from), end = Math.min(x + w, from + width);
      var shown = (end - start) * scale, at = left + (start - from) * scale;
      var rect = frame.querySelector('rect'), text = frame.querySelector('text');
      rect.setAttribute('x', at); rect.setAttribute('width', shown); text.setAttribute('x', at + 3);
      var room = Math.floor((shown - 6) / letter), name = frame.getAttribute('data-n');
      text.textContent = room < 3 ? '' : name.length <= room ? name : name.slice(0, room - 2) + '..';
      frame.classList.toggle('faded', w > width + 0.001);
    });
    reset.textContent = width < whole - 0.001 ? 'Reset zoom' : '';
  }
  function mark(term) {
    var wanted = null;
    try { wanted = term ? new RegExp(term) : null; } catch (error) { wanted = null; }
    var spans = [];
    frames.forEach(function (frame) {
      var match = wanted !== null && wanted.test(frame.getAttribute('data-n'));
      frame.classList.toggle('match', match);
      if (match) spans.push([number(frame, 'x'), number(frame, 'x') + number(frame, 'w')]);
    });
    spans.sort(function (a, b) { return a[0] - b[0]; });
    var end = 0, sum = 0;
    spans.forEach(function (span) {
      if (span[1] > end) { sum += span[1] - Math.max(span[0], end); end = span[1]; }
    });
    search.textContent = wanted === null ? 'Search' : 'Matched: ' + (100 * sum / whole).toFixed(1) + ' %';
  }
  frames.forEach(function (frame) {
    frame.addEventListener('click', function () { zoom(frame); });
    frame.addEventListener('mouseover', function () { detail.textContent = frame.querySelector('title').textContent; });
    frame.addEventListener('mouseout', function () { detail.textContent = ''; });
  });
  reset.addEventListener('click', function () { zoom(frames[0]); });
  search.addEventListener('click', function () {
    mark(window.prompt('Mark the functions whose name matches this regular expression:', '') || '');
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === '/' || (event.ctrlKey && event.key === 'f')) {
      event.preventDefault();
      search.dispatchEvent(new Event('click'));
    }
  });
})();
`;
