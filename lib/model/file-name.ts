/** The last part of a path, or the path itself where that is empty: '/'. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}
