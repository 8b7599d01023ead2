import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, systemRng } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { runCli, temporaryFolder } from '../cli-process.fixture.ts';
import type { CommandContext } from '../command.ts';
import { command } from './dp-epsilon.ts';

/** What the command says to people and to machines. */
async function run(flags: Readonly<Record<string, string>>): Promise<{ lines: string; values: object[] }> {
  const [lines, values]: [string[], object[]] = [[], []];
  const silent = (): void => {};
  const context: CommandContext = {
    terminal: {
      json: false,
      watched: false,
      line: (text) => void lines.push(text),
      value: (value) => void values.push(value),
      note: silent,
      raw: silent,
    },
    clock: new ManualClock(),
    rng: systemRng,
    home: '/nowhere',
    stdin: process.stdin,
  };
  await command.run(context, [], flags);
  return { lines: lines.join('\n'), values };
}

const flags = { q: '256/60000', sigma: '1.3', steps: '3510', delta: '1e-5' };

test('dp epsilon prints both accountants’ bounds', async () => {
  const { lines, values } = await run(flags);
  const [{ rdp, pldUpper, pldLower, ...rest } = {}] = values as Record<string, number>[];
  assert.deepEqual(rest, {});
  assert.ok(Math.abs((rdp ?? 0) - 0.953757) < 1e-6 && Math.abs((pldUpper ?? 0) - 0.863807) < 1e-3);
  assert.ok((pldLower ?? 0) < (pldUpper ?? 0) && (pldLower ?? 0) > 0.86);
  assert.match(lines, /rdp +0\.953757 .*\n +pldUpper +0\.86/);
});

test('it needs no profile and no network', async (t) => {
  const { stdout } = await runCli(temporaryFolder(t), ['dp', 'epsilon', '--sigma=1', '--delta=1e-5', '--json']);
  const { rdp, pldUpper, pldLower } = JSON.parse(stdout) as Record<string, number>;
  assert.ok(Math.abs((rdp ?? 0) - 4.728507) < 1e-6 && Math.abs((pldUpper ?? 0) - 4.377178) < 1e-6);
  assert.equal(pldLower, pldUpper);
});

test('numbers that a run cannot have are refused before anything is computed', async () => {
  const wrong = [{ q: '0' }, { q: '1/2/3' }, { sigma: '-1' }, { sigma: '' }, { steps: '1.5' }, { delta: '1' }];
  for (const change of wrong)
    await assert.rejects(
      () => Promise.resolve().then(() => run({ ...flags, ...change })),
      (error) =>
        error instanceof CliError &&
        error.code === 'usage' &&
        error.message.startsWith(`--${Object.keys(change)[0]} is`),
    );
});
