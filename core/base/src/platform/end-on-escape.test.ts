import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const HERE = join(import.meta.dirname, '..');

/** Runs `text` in a process of its own that has the handlers; what it wrote to stderr, and how it ended. */
function run(text: string): { readonly lines: Record<string, unknown>[]; readonly status: number | null } {
  const program = `
    import { createLog } from ${JSON.stringify(join(HERE, 'log.ts'))};
    import { RingfenceError } from ${JSON.stringify(join(HERE, 'error.ts'))};
    import { systemClock } from ${JSON.stringify(join(HERE, 'platform/system-clock.ts'))};
    import { endOnEscape } from ${JSON.stringify(join(HERE, 'platform/end-on-escape.ts'))};
    endOnEscape(createLog({ role: 'relay', clock: systemClock, write: (line) => process.stderr.write(line) }));
    setInterval(() => {}, 1_000_000);
    ${text}`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const lines = stderr.trim().split('\n');
  return { lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), status };
}

for (const [what, text] of Object.entries({
  'an error of a callback': "setImmediate(function lost() { throw new TypeError('row 7:\\n    at patient.anna'); });",
  'a promise that nobody waits for':
    "void (async function lost() { throw new TypeError('row 7:\\n    at patient.anna'); })();",
}))
  test(`${what} is one line of the log without its words, and the end`, () => {
    const { lines, status } = run(text);
    assert.equal(status, 1);
    assert.equal(lines.length, 1);
    const { level, role, event, code, error, reason } = lines[0] ?? {};
    assert.deepEqual([level, role, event, code, error], ['error', 'relay', 'escaped', 'unexpected', 'TypeError']);
    assert.match(String(reason), /^at .*lost/);
    assert.doesNotMatch(JSON.stringify(lines), /patient|row 7/);
  });

test('what is no error ends it, too', () => {
  const { lines, status } = run("void Promise.reject('patient anna');");
  assert.deepEqual([status, lines[0]?.['event'], lines[0]?.['reason']], [1, 'escaped', undefined]);
  assert.doesNotMatch(JSON.stringify(lines), /patient/);
});
