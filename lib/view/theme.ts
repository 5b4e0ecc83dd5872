import { escapeControls } from '../model/escape.ts';
import type { Line, Tone } from './line.ts';

/** How many colours may be used; 'none' leaves weight and reversal. */
export type Depth = 'none' | 'few' | 'many';

/** Select Graphic Rendition parameters by tone. */
type Theme = Readonly<Record<Tone, string>>;

const weights = {
  title: '1',
  header: '1',
  sorted: '1;4',
  dim: '2',
  strong: '1',
  accent: '',
  good: '',
  warning: '1',
  bad: '1;7',
  key: '1',
  selected: '7',
} as const;

const heatWithout = ['', '', '', '', '', '', '', '', ''];
// From a quiet blue to a warm yellow; lightness grows with the number, so that it reads without seeing hues.
const heatMany = ['', '48;5;17', '48;5;18', '48;5;25', '48;5;31', '48;5;37', '48;5;78', '48;5;149', '48;5;221'];
const heatFew = ['', '34', '34', '36', '36', '32', '32', '33', '1;33'];

const themes: Readonly<Record<Depth, Theme>> = {
  none: { ...weights, ...heat(heatWithout) },
  few: {
    ...weights,
    title: '1;36',
    sorted: '1;36',
    accent: '36',
    good: '32',
    warning: '33',
    bad: '1;31',
    key: '1;36',
    ...heat(heatFew),
  },
  many: {
    ...weights,
    title: '1;38;5;117',
    header: '1;38;5;250',
    sorted: '1;38;5;117',
    dim: '38;5;244',
    accent: '38;5;74',
    good: '38;5;114',
    warning: '38;5;221',
    bad: '1;38;5;203',
    key: '38;5;117',
    selected: '48;5;238;38;5;255',
    ...heat(heatMany),
  },
};

function heat(codes: readonly string[]): Pick<Theme, Extract<Tone, `heat${number}`>> {
  return Object.fromEntries(codes.map((code, i) => [`heat${i}`, code])) as unknown as Theme;
}

/** What the environment says about colours. */
export function depthOf(env: Readonly<Record<string, string | undefined>>): Depth {
  if ((env.NO_COLOR ?? '') !== '') {
    return 'none';
  }
  const term = env.TERM ?? '';
  return /256color|kitty|alacritty|direct/.test(term) || /truecolor|24bit/.test(env.COLORTERM ?? '') ? 'many' : 'few';
}

/** Whether cells of a heat map show by their colour alone. */
export function heatIsColour(depth: Depth): boolean {
  return depth === 'many';
}

/** A line as the terminal takes it. Nothing in a text can steer it: that is made sure of here once more. */
export function paint(line: Line, depth: Depth): string {
  const theme = themes[depth];
  let painted = '';
  for (const { text, tone } of line) {
    const code = tone === undefined ? '' : theme[tone];
    const safe = escapeControls(text).replaceAll('\t', ' ');
    painted += code === '' || safe === '' ? safe : `\x1b[${code}m${safe}\x1b[0m`;
  }
  return painted;
}
