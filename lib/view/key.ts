/** A key, by its name where it prints nothing. */
export type Key =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageup'
  | 'pagedown'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backspace'
  | 'ctrl-c'
  | 'ctrl-z'
  | 'ctrl-l'
  | { readonly text: string };

/** The character of a key that has one. */
export function character(key: Key): string | undefined {
  return typeof key === 'object' ? key.text : undefined;
}
