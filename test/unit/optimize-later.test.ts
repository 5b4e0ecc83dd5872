import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const module = new URL('../../lib/cli/optimize-later.js', import.meta.url).href;

/** How often a function is called before V8 optimizes it, after what was called of the module. */
function callsUntilOptimized(called: string): number {
  const script = `
    import * as module from ${JSON.stringify(module)};
    ${called}
    // One bit of the status says that it is optimized.
    const isOptimized = new Function('one', 'return (%GetOptimizationStatus(one) & (1 << 4)) !== 0');
    const add = (sum, count) => { for (let i = 0; i < count; i++) { sum = (sum + i * 3) | 0; } return sum; };
    let calls = 0;
    for (let sum = 0; calls < 1_000_000 && !isOptimized(add); calls++) { sum = add(sum, 10); }
    console.log(calls);`;
  const flags = ['--allow-natives-syntax', '--no-concurrent-recompilation', '--no-use-osr', '--input-type=module'];
  return Number(execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' }));
}

test('code runs longer before it is optimized where V8 is not patient by itself, until many events come at once', () => {
  const usual = callsUntilOptimized('');
  const later = callsUntilOptimized('module.optimizeLater();');
  const again = callsUntilOptimized('module.optimizeLater(); module.optimizeAsUsual();');
  const isPatient = Number.parseInt(process.versions.node, 10) >= 22;
  assert.ok(usual > 0 && later < 1_000_000, `${usual} and ${later} calls`);
  assert.ok(isPatient ? later < 2 * usual : later > 3 * usual, `${usual} and ${later} calls`);
  const few = callsUntilOptimized('module.optimizeLater(); module.hurryIf(199);');
  const many = callsUntilOptimized('module.optimizeLater(); module.hurryIf(200);');
  assert.ok(isPatient || few > 3 * usual, `${usual} and ${few} calls`);
  assert.ok(again < 2 * usual && many < 2 * usual, `${usual}, ${again} and ${many} calls`);
});
