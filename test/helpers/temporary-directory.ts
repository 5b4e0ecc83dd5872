import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of a test's own, gone with everything in it at the end of the block that holds it with `using`. */
export class TemporaryDirectory implements Disposable {
  /** Absolute, without symbolic links, dots and anything that a tool would escape. */
  readonly path: string;

  constructor(parent: string = tmpdir()) {
    this.path = mkdtempSync(join(realpathSync(parent), 'kscope-test-'));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
