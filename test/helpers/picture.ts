import type { Size } from '../../lib/view/line.ts';
import type { Screen } from '../../lib/view/screen.ts';
import { textWidth } from '../../lib/view/text-width.ts';
import { paint } from '../../lib/view/theme.ts';

const cell = { width: 8, height: 18 };
const background = '#16181d';
const foreground = '#d6d9df';
/** What a look is as an attribute; a terminal reverses by exchanging the two colours. */
interface Look {
  readonly fill?: string;
  readonly behind?: string;
  readonly bold?: boolean;
  readonly underlined?: boolean;
}

/** A screen as a terminal with 256 colours shows it, as SVG. */
export function pictureOf(screen: Screen, size: Size): string {
  const rows = screen.render(size).map((line, y) => drawn(paint(line, 'many'), y));
  const [width, height] = [(size.width + 2) * cell.width, (size.height + 1) * cell.height];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" rx="6" fill="${background}"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="${foreground}">`,
    ...rows.filter((row) => row !== ''),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawn(painted: string, row: number): string {
  let look: Look = {};
  let column = 1;
  let shapes = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what the sequences of a terminal begin with
  for (const [, codes, text = ''] of painted.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    look = codes === undefined ? look : lookOf(codes.split(';').map(Number));
    const width = textWidth(text);
    const place = `x="${column * cell.width}" y="${(row + 0.5) * cell.height}"`;
    const whole = `textLength="${width * cell.width}"`;
    if (look.behind !== undefined && width > 0) {
      shapes += `<rect ${place} width="${width * cell.width}" height="${cell.height}" fill="${look.behind}"/>`;
    }
    if (text.trim() !== '') {
      const above = `x="${column * cell.width}" y="${(row + 1.25) * cell.height}" ${whole} xml:space="preserve"`;
      shapes += `<text ${above}${attributes(look)}>${escaped(text)}</text>`;
    }
    column += width;
  }
  return shapes;
}

function attributes({ fill, bold, underlined }: Look): string {
  return [
    fill === undefined ? '' : ` fill="${fill}"`,
    bold === true ? ' font-weight="bold"' : '',
    underlined === true ? ' text-decoration="underline"' : '',
  ].join('');
}

/** The parameters that the theme uses, and no others. */
function lookOf(codes: readonly number[]): Look {
  let look: Look = {};
  for (let i = 0; i < codes.length; i++) {
    const [code, , number = 0] = codes.slice(i);
    if (code === 38 || code === 48) {
      look = { ...look, [code === 38 ? 'fill' : 'behind']: colour(number) };
      i += 2;
    } else if (code === 7) {
      look = { ...look, fill: background, behind: look.fill ?? foreground };
    } else if (code === 1 || code === 4) {
      look = { ...look, [code === 1 ? 'bold' : 'underlined']: true };
    } else if (code !== 0) {
      throw new Error(`no picture of ${codes}`);
    }
  }
  return look;
}

/** The colour cube and the greys of a terminal with 256 colours. */
function colour(number: number): string {
  const cube = number - 16;
  const parts =
    number >= 232
      ? Array(3).fill(8 + 10 * (number - 232))
      : [36, 6, 1].map((step) => [0, 95, 135, 175, 215, 255][Math.floor(cube / step) % 6] ?? 0);
  return `#${parts.map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
