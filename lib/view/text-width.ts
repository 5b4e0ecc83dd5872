/** Blocks of characters that take two columns, as far as terminals agree. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x26a1, 0x26a1],
  [0x26ce, 0x26ce],
  [0x2705, 0x2705],
  [0x270a, 0x270b],
  [0x2728, 0x2728],
  [0x274c, 0x274c],
  [0x2753, 0x2755],
  [0x2795, 0x2797],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f004, 0x1f004],
  [0x1f0cf, 0x1f0cf],
  [0x1f18e, 0x1f19a],
  [0x1f200, 0x1f320],
  [0x1f32d, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f7e0, 0x1f7eb],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];

const plain = /^[ -~]*$/;
// Marks that join the character before them, and formatting that is not seen.
const zero = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) as number;
  if (code < 0x300) {
    return 1;
  }
  if (zero.test(character)) {
    return 0;
  }
  return code >= 0x1100 && wide.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Columns that a text takes on a terminal. */
export function textWidth(text: string): number {
  if (plain.test(text)) {
    return text.length;
  }
  let width = 0;
  for (const character of text) {
    width += widthOfCharacter(character);
  }
  return width;
}

/** Marks on one character that are shown: names may pile up hundreds, which would be drawn over the lines around. */
const mostMarks = 2;

/** The text in exactly `width` columns: what is too long ends in '…', what is short is padded. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  if (width <= 0) {
    return '';
  }
  if (plain.test(text)) {
    return text.length > width
      ? `${text.slice(0, width - 1)}…`
      : align === 'left'
        ? text.padEnd(width)
        : text.padStart(width);
  }
  const cut = cutTo(text, width);
  const padding = ' '.repeat(width - textWidth(cut));
  return align === 'left' ? cut + padding : padding + cut;
}

function cutTo(text: string, width: number): string {
  let kept = '';
  /** What is kept when it turns out that the text is too long. */
  let short = '';
  let used = 0;
  let marks = 0;
  for (const character of text) {
    const own = widthOfCharacter(character);
    marks = own === 0 ? marks + 1 : 0;
    if (marks > mostMarks) {
      continue;
    }
    if (used + own > width) {
      return `${short}…`;
    }
    kept += character;
    used += own;
    if (used <= width - 1) {
      short = kept;
    }
  }
  return kept;
}
