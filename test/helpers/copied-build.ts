import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { architecture } from '../../lib/bpf/object-file.ts';
import { compiledFile } from '../../lib/cli/compiled.ts';
import { bundleCommands } from '../../lib/gen/bundle.ts';
import { built } from './run-tool.ts';

/** What was built, once more, to be damaged. */
export class CopiedBuild implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kscope-copy-'));

  constructor() {
    const root = join(built, '..');
    for (const part of ['bpf', 'commands', 'lib', 'tools']) {
      cpSync(join(built, part), join(this.#folder, 'dist', part), { recursive: true });
    }
    copyFileSync(join(root, 'package.json'), join(this.#folder, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** The command line of a copied command. */
  command(name: string, args: readonly string[] = []): [string, ...string[]] {
    return [process.execPath, join(this.#folder, 'dist/commands/bin', name), ...args];
  }

  /** Runs a copied command to its end. */
  run(name: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const [node, ...rest] = this.command(name, args);
    const { status, stdout, stderr } = spawnSync(node, rest, { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  /** The object file of a tool, for this machine. */
  object(tool: string): string {
    return join(this.#folder, 'dist/bpf', architecture(), `${tool}.bpf.o`);
  }

  /** Adds a tool to the copy: its two files, and its command. The definition is JavaScript. */
  async add(name: string, definition: string, object: string): Promise<void> {
    writeFileSync(join(this.#folder, 'dist/tools', `${name}.js`), definition);
    copyFileSync(object, this.object(name));
    await bundleCommands(join(this.#folder, 'dist'));
  }

  /** Replaces the object file of a tool by what `change` makes of its bytes; undefined removes it. */
  damage(tool: string, change: (bytes: Buffer) => Uint8Array | undefined): void {
    const file = this.object(tool);
    const original = `${file}.original`;
    if (!existsSync(original)) {
      copyFileSync(file, original);
    }
    const bytes = change(readFileSync(original));
    bytes === undefined ? rmSync(file) : writeFileSync(file, bytes);
  }

  /** Makes what commands run from, where there was nothing of it. */
  async bundleAnew(): Promise<void> {
    rmSync(join(this.#folder, 'dist/commands/shared'), { recursive: true });
    this.replaceCompiled(undefined);
    await bundleCommands(join(this.#folder, 'dist'));
  }

  /** Replaces what this Node has compiled the commands to; undefined removes it. */
  replaceCompiled(bytes: Uint8Array | undefined): void {
    const file = join(this.#folder, 'dist/commands', basename(compiledFile));
    bytes === undefined ? rmSync(file, { force: true }) : writeFileSync(file, bytes);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
