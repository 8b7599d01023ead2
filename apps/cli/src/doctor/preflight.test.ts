import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ownCertificate } from '@ringfence/client/server-certificate';
import type { Finding } from './finding.ts';
import { preflightFindings } from './preflight.ts';

const HOUR = 3_600_000;

/** A server that answers 200, with a clock that is `apart` milliseconds from ours. */
async function server(t: TestContext, apart: number): Promise<string> {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-preflight-'));
  const { certificatePem, privateKeyPem, caFile } = await ownCertificate({
    state,
    names: ['127.0.0.1'],
    clock: systemClock,
    rng: systemRng,
  });
  const listening = createServer({ cert: certificatePem, key: Buffer.from(privateKeyPem.expose()) }, (_, answer) => {
    // oxlint-disable-next-line no-restricted-globals -- writes a header
    answer.setHeader('date', new Date(systemClock.now() + apart).toUTCString());
    answer.end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  process.env['RINGFENCE_CA_FILE'] = caFile ?? '';
  t.after(() => {
    delete process.env['RINGFENCE_CA_FILE'];
    listening.close();
    rmSync(state, { recursive: true });
  });
  return `https://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

const look = (urls: { controlPlane?: string; relay?: string }): Promise<Finding[]> =>
  preflightFindings({
    controlPlane: urls.controlPlane,
    relay: urls.relay,
    work: join(tmpdir(), 'not', 'there', 'yet'),
    clock: systemClock,
  });
const verdictOf = (findings: readonly Finding[], check: string) =>
  findings.find((finding) => finding.check === check)?.verdict;

test('services that answer, and a clock that agrees, are good', async (t) => {
  const url = await server(t, 0);
  const found = await look({ controlPlane: url, relay: url });
  for (const check of ['control plane', 'clock against the control plane', 'relay', 'clock against the relay'])
    assert.equal(verdictOf(found, check), 'good', check);
});

test('a clock that is an hour ahead or behind is bad, and the remedy is there', async (t) => {
  for (const apart of [HOUR, -HOUR]) {
    const found = await look({ controlPlane: await server(t, apart) });
    const clock = found.find(({ check }) => check === 'clock against the control plane');
    assert.equal(clock?.verdict, 'bad');
    assert.match(clock?.remedy ?? '', /timedatectl/);
  }
});

test('what cannot be reached is bad, what was not named is only not tried, and a folder that is not there yet is looked at above', async () => {
  const found = await look({ controlPlane: 'https://127.0.0.1:1' });
  assert.equal(verdictOf(found, 'control plane'), 'bad');
  assert.equal(verdictOf(found, 'relay'), 'warn');
  assert.notEqual(verdictOf(found, 'room'), undefined);
  assert.notEqual(verdictOf(found, 'disk'), undefined);
});
