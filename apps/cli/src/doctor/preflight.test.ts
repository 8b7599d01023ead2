import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ownCertificate } from '@ringfence/client/server-certificate';
import type { Finding } from './finding.ts';
import { preflightFindings } from './preflight.ts';

const HOUR = 3_600_000;

/** A server that answers 200, with a clock that is `apart` milliseconds from ours. */
async function server(t: TestContext, apart: number): Promise<{ url: string; caFile: string }> {
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
  t.after(() => {
    listening.close();
    rmSync(state, { recursive: true });
  });
  return { url: `https://127.0.0.1:${(listening.address() as AddressInfo).port}`, caFile: caFile ?? '' };
}

const look = (urls: { controlPlane?: string; relay?: string; caFile?: string }): Promise<Finding[]> =>
  preflightFindings({
    controlPlane: urls.controlPlane,
    relay: urls.relay,
    caFile: urls.caFile,
    work: join(tmpdir(), 'not', 'there', 'yet'),
    clock: systemClock,
  });
const verdictOf = (findings: readonly Finding[], check: string) =>
  findings.find((finding) => finding.check === check)?.verdict;

test('services that answer, and a clock that agrees, are good', async (t) => {
  const { url, caFile } = await server(t, 0);
  const found = await look({ controlPlane: url, relay: url, caFile });
  for (const check of ['control plane', 'clock against the control plane', 'relay', 'clock against the relay'])
    assert.equal(verdictOf(found, check), 'good', check);
});

test('services with authorities of their own are trusted by one file that holds both, and by neither alone', async (t) => {
  const [controlPlane, relay] = [await server(t, 0), await server(t, 0)];
  const both = join(mkdtempSync(join(tmpdir(), 'ringfence-authorities-')), 'ca.pem');
  t.after(() => rmSync(dirname(both), { recursive: true }));
  writeFileSync(both, readFileSync(controlPlane.caFile, 'utf8') + readFileSync(relay.caFile, 'utf8'));
  const urls = { controlPlane: controlPlane.url, relay: relay.url };
  const verdicts = (found: readonly Finding[]) => ['control plane', 'relay'].map((check) => verdictOf(found, check));
  assert.deepEqual(verdicts(await look({ ...urls, caFile: both })), ['good', 'good']);
  const one = await look({ ...urls, caFile: controlPlane.caFile });
  assert.deepEqual(verdicts(one), ['good', 'bad']);
  assert.match(one.find(({ check }) => check === 'relay')?.remedy ?? '', /--ca-file or RINGFENCE_CA_FILE/);
  process.env['RINGFENCE_CA_FILE'] = both;
  t.after(() => delete process.env['RINGFENCE_CA_FILE']);
  assert.deepEqual(verdicts(await look(urls)), ['good', 'good']);
});

test('a clock that is an hour ahead or behind is bad, and the remedy is there', async (t) => {
  for (const apart of [HOUR, -HOUR]) {
    const { url, caFile } = await server(t, apart);
    const found = await look({ controlPlane: url, caFile });
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
