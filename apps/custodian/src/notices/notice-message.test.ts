import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, Secret, systemRng } from '@ringfence/base';
import { noticeRequest, waitAfter, webhookSignature } from './notice-message.ts';

test('signs as the libraries of Standard Webhooks do', () => {
  // Test vector of the specification's own libraries (standard-webhooks/libraries, webhook tests).
  const secret = new Secret(Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'));
  const of = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', seconds: 1_614_265_330, text: '{"test": 2432232314}' };
  assert.equal(webhookSignature(secret, of), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('tells id, state and outcome, and a name only when it was given one', () => {
  const job = newId('job', systemRng);
  const notice = { id: 'msg_1', job, outcome: 'stopped', at: 1_800_000_000_000 } as const;
  const secret = new Secret(new Uint8Array(32));
  const read = (name?: string): unknown =>
    JSON.parse(Buffer.from(noticeRequest({ ...notice, name }, secret, epochMs(1_800_000_001_500)).body).toString());
  const plain = { job, state: 'cancelled', outcome: 'stopped' };
  assert.deepEqual(read(), { type: 'job.stopped', timestamp: '2027-01-15T08:00:00.000Z', data: plain });
  assert.deepEqual(read('named'), {
    type: 'job.stopped',
    timestamp: '2027-01-15T08:00:00.000Z',
    data: { ...plain, name: 'named' },
  });
});

test('waits longer after each try, a little by chance, and gives up in the end', () => {
  const waits = Array.from({ length: 9 }, (_, at) => waitAfter(at + 1, 0) ?? 0);
  assert.deepEqual(
    waits,
    waits.toSorted((a, b) => a - b),
  );
  assert.equal(waits[0], 5_000);
  assert.equal(waitAfter(1, 1), 5_500);
  assert.equal(waitAfter(10, 0), undefined);
});
