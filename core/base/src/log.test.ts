import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingfenceError, messageOf } from './error.ts';
import { createLog, errorFields, silentLog, type LogFields, type LogLevel } from './log.ts';
import { ManualClock } from './manual-clock.ts';
import { Secret } from './secret.ts';

class SampleError extends RingfenceError<'first' | 'second'> {}

function logged(write: (log: ReturnType<typeof createLog>) => void, level?: LogLevel): unknown[] {
  const lines: string[] = [];
  const clock = new ManualClock(1_893_553_445_678);
  write(
    createLog({ role: 'agent', clock, write: (line) => lines.push(line), ...(level === undefined ? {} : { level }) }),
  );
  assert.ok(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1));
  return lines.map((line) => JSON.parse(line) as unknown);
}

test('a line has time, level, role, event and the fields that may be logged', () => {
  assert.deepEqual(
    logged((log) => log.info('link-up', { agent: 'agt_x', bytes: 5, reason: 'a "quoted"\nline' })),
    [
      {
        t: '2030-01-02T03:04:05.678Z',
        level: 'info',
        role: 'agent',
        event: 'link-up',
        agent: 'agt_x',
        bytes: 5,
        reason: 'a "quoted"\nline',
      },
    ],
  );
});

test('other fields are dropped even where the compiler was talked out of them', () => {
  const fields = { payload: 'patient 7', password: 'x', job: 'job_x', __proto__: { code: 'inherited' } } as LogFields;
  const [line] = logged((log) => log.warn('odd', fields));
  assert.equal(JSON.stringify(line).includes('patient'), false);
  assert.equal(JSON.stringify(line).includes('password'), false);
});

test('a secret that strays into a field does not print', () => {
  const secret = new Secret(Buffer.from('hunter2')) as unknown as string;
  const [line] = logged((log) => log.error('odd', { error: secret }));
  assert.equal(JSON.stringify(line).includes('hunter2'), false);
});

test('quieter lines than the level are left out', () => {
  const all = (log: ReturnType<typeof createLog>): void => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
  };
  assert.equal(logged(all).length, 3);
  assert.equal(logged(all, 'debug').length, 4);
  assert.equal(logged(all, 'error').length, 1);
  all(silentLog);
});

test('our own errors show code and message; others, whose message may quote payload, only their kind', () => {
  assert.deepEqual(errorFields(new SampleError('first', 'the disk is full')), {
    code: 'first',
    error: 'the disk is full',
  });
  const system = Object.assign(new Error("ENOENT: no such file '/data/patient-7'"), { code: 'ENOENT' });
  assert.deepEqual(errorFields(system), { code: 'ENOENT', error: 'Error' });
  assert.deepEqual(errorFields(new SyntaxError('Unexpected token in "patient 7"')), {
    code: 'unexpected',
    error: 'SyntaxError',
  });
  assert.deepEqual(errorFields('patient 7'), { code: 'unexpected', error: 'string' });
});

test('an error keeps its code, its cause and the next step', () => {
  const cause = new Error('below');
  const error = new SampleError('second', 'above', { cause, next: 'try again' });
  assert.equal(error.name, 'SampleError');
  assert.equal(error.code, 'second');
  assert.equal(error.cause, cause);
  assert.equal(error.next, 'try again');
  assert.ok(error instanceof RingfenceError && error instanceof Error);
  assert.equal('cause' in new SampleError('first', 'alone'), false);
  assert.equal(messageOf(error), 'above');
  assert.equal(messageOf(7), '7');
});
