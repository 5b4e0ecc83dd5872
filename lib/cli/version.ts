import { readFileSync } from 'node:fs';

/** The version of this package: '0.1.0'. */
export function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}
