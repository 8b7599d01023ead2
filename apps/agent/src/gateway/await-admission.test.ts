import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { awaitAdmission } from './await-admission.ts';

async function asked(): Promise<{ here: Duplex; there: Duplex; clock: ManualClock; admitted: Promise<void> }> {
  const [here, there] = duplexPair();
  const clock = new ManualClock();
  const admitted = awaitAdmission(here, clock);
  admitted.catch(() => {});
  const [question] = (await once(there, 'data')) as [Buffer];
  assert.equal(question.toString(), 'GET /v1/replicas HTTP/1.1\r\nhost: agent\r\n\r\n');
  return { here, there, clock, admitted };
}

test('a link is lent when the agent has admitted this side, even in pieces', async () => {
  const { here, there, clock, admitted } = await asked();
  there.write('HTTP/1.1 204 No');
  there.write(' Content\r\nconnection: keep-alive\r\n\r\n');
  await admitted;
  clock.advance(60_000);
  assert.equal(here.destroyed, false);
  here.destroy(new Error('broke before anybody took it'));
  await new Promise((resolve) => here.once('close', resolve));
});

for (const [what, answer] of [
  ['no', 'HTTP/1.1 403 Forbidden\r\n\r\n'],
  ['something endless', 'x'.repeat(5_000)],
] as const)
  test(`a link is given up when the agent says ${what}`, async () => {
    const { here, there, admitted } = await asked();
    there.write(answer);
    await assert.rejects(admitted, { code: 'not-admitted' });
    assert.equal(here.destroyed, true);
  });

test('a link is given up when the agent says nothing', async () => {
  const { here, clock, admitted } = await asked();
  clock.advance(9_999);
  assert.equal(here.destroyed, false);
  clock.advance(1);
  await assert.rejects(admitted, { code: 'not-admitted' });
  assert.equal(here.destroyed, true);
});
