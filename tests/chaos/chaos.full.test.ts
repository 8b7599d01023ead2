// Two hundred faults at a real house: it recovers by itself each time, and keeps every promise. One seed, so that the same faults come each time;
// `npm run chaos` draws others.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { need } from '../../scripts/needs.ts';

const FAULTS = 200;
const SEED = process.env['RINGFENCE_CHAOS_SEED'] ?? '2';
/** The house did work between the faults. */
const FEWEST_JOBS = 5;
/** What a failure shows of it. */
const LAST_LINES = 60;
/** A failure's own words come before them: reports show the beginning. */
const FAILURE_LINES = 40;

test(`a house under two hundred faults (seed ${SEED}) loses nothing, does nothing twice, and recovers by itself`, async (t) => {
  if (!need(t, 'full', 'root', 'netns', 'nftables', 'libfaketime')) return;
  const args = ['--faults', String(FAULTS), '--seed', SEED];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, failed] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (failed += text));
  t.signal.addEventListener('abort', () => child.kill('SIGTERM'));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const lines = said.trimEnd().split('\n');
  assert.equal(code, 0, [whyOf(failed), lines[0], ...lines.slice(1).slice(-LAST_LINES)].join('\n'));
  const tally = JSON.parse(lines.at(-1) ?? '') as { done: number; jobs: number; lines: number };
  t.diagnostic(`${lines[0]}; ${lines.at(-1)}`);
  assert.equal(tally.done, FAULTS);
  assert.ok(
    tally.jobs >= FEWEST_JOBS && tally.lines > 0,
    `${tally.jobs} jobs were promised, ${tally.lines} lines shown`,
  );
});

/** What the failed process said last of its own accord, from the line that names the error on. */
function whyOf(failed: string): string {
  const lines = failed.trimEnd().split('\n');
  const from = lines.findLastIndex((line) => /^\w*Error\b/.test(line));
  return lines.slice(Math.max(from, 0), Math.max(from, 0) + FAILURE_LINES).join('\n');
}
