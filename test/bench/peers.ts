import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface Peer {
  readonly package: string;
  readonly version: string;
  /** Path of one of its programs; undefined when the package does not have it. */
  program(name: string): string | undefined;
}

/** A Debian package to compare with; undefined when it is not installed. */
export function peer(name: string): Peer | undefined {
  let files: string[];
  let version: string;
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax is dpkg's.
    version = execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8', stdio: 'pipe' });
    files = execFileSync('dpkg', ['-L', name], { encoding: 'utf8', stdio: 'pipe' }).split('\n');
  } catch {
    return undefined;
  }
  return {
    package: name,
    version,
    program: (wanted) =>
      files.find((file) => /\/s?bin\/[^/]+$/.test(file) && file.endsWith(`/${wanted}`) && existsSync(file)),
  };
}
