// A node:test reporter: writes one JSON line for each finished test to file descriptor 3, where the parent reads them, and `null` at the end of all.
import { writeSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import type { TestOutcome } from './outcome.ts';

const CHANNEL = 3;

type TestPass = Extract<TestEvent, { type: 'test:pass' }>['data'];

/** True for the pass that Node itself reports of a file that defines no test. */
function standsForFile({ name, file, nesting, line, column }: TestPass): boolean {
  return nesting === 0 && line === 1 && column === 1 && file?.endsWith(name) === true;
}

function outcome(event: TestEvent): TestOutcome | null {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return null;
  const { name, file = '', line = 0, nesting, skip, todo, details } = event.data;
  const at = { name, file, line, ...(nesting === 0 ? { duration: details.duration_ms } : {}) };
  if (skip !== undefined) return { ...at, result: 'skipped', reason: String(skip) };
  if (todo !== undefined) return { ...at, result: 'skipped', reason: `todo ${String(todo)}` };
  if (event.type === 'test:pass' && standsForFile(event.data))
    return { ...at, result: 'failed', reason: 'the file has no test' };
  if (event.type === 'test:pass') return details.type === 'suite' ? null : { ...at, result: 'passed' };
  const { error } = event.data.details;
  // A parent fails because a child did; the child's own line says why.
  if ('failureType' in error && error.failureType === 'subtestsFailed') return null;
  return { ...at, result: 'failed', reason: inspect(error.cause ?? error, { colors: false, depth: 4 }) };
}

function unfinished({ name, file = '', line = 0 }: { name: string; file?: string; line?: number }): TestOutcome {
  const reason = 'was stopped while it ran: a hung test, or a timer, socket or child process was left open';
  return { name, file, line, result: 'failed', reason };
}

// oxlint-disable-next-line import/no-default-export -- node --test takes a reporter's default export
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const finished = event.type === 'test:interrupted' ? event.data.tests.map(unfinished) : [outcome(event)];
    for (const one of finished) if (one !== null) writeSync(CHANNEL, `${JSON.stringify(one)}\n`);
  }
  writeSync(CHANNEL, 'null\n');
  yield '';
}
