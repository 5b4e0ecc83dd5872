/** Text for a manual page: nothing in it is taken for a request or an escape, and what is copied from it is ASCII. */
export function roffText(text: string): string {
  return roffLine(text.replace(/\s+/g, ' ').trim());
}

/** The same with all spaces as they are: a line of what a program printed. */
export function roffLine(line: string): string {
  const safe = line.replace(/[\\\-'`^~"]|[^ -~]/gu, (character) => escapes[character] ?? unicode(character));
  return safe.startsWith('.') ? `\\&${safe}` : safe;
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\(rs',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  // Inside the arguments of a macro a quote would end the argument.
  '"': '\\(dq',
};

function unicode(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // Control characters have no glyph.
  return code < 0xa0 ? '' : `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** Lines of prose: option names are bold, and references to other pages are marked as such. */
export function roffProse(text: string): string[] {
  const marked = roffText(text)
    .replace(/(^|[ (])((?:\\-){1,2}[A-Za-z0-9](?:[A-Za-z0-9]|\\-)*)/g, '$1\\fB$2\\fR')
    .replace(/\b([a-z][a-z0-9_.]*)\(([1-9])\)/g, '\\fB$1\\fR($2)');
  return wrap(marked);
}

const lineWidth = 78;

/** Breaks at spaces, so that the source of a page can be read and compared. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= lineWidth) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word.startsWith('.') ? `\\&${word}` : word);
    }
  }
  return lines;
}

/** Paragraphs, separated by blank lines in `text`; the first one begins a section. */
export function roffParagraphs(text: string): string[] {
  return text
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim() !== '')
    .flatMap((paragraph, i) => [...(i === 0 ? [] : ['.PP']), ...roffProse(paragraph)]);
}

/** An entry of a list: the term as it is given, already roff; then what it means. */
export function roffEntry(term: string, meaning: string): string[] {
  return ['.TP', term, ...roffProse(meaning)];
}

/** An argument of a macro, quoted. */
export function roffArgument(text: string): string {
  return `"${roffText(text)}"`;
}
