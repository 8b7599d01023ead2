import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import {
  createLinkIdentity,
  expectKeys,
  linkHttpServer,
  payloadAgent,
  requestPayload,
  servePayload,
  streamPayload,
  type PayloadAgent,
} from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { errorAnswer } from '@ringfence/protocol/api';
import { attemptView, metricLine, type MetricLine } from '@ringfence/protocol/payload';
import { IDS, KEYS, WORKLOAD } from '../attempt/members.fixture.ts';
import { AttemptFolder } from '../attempt/attempt-folder.ts';
import { openOrganisation, type TestOrganisation } from '../attempt/organisation.fixture.ts';
import { LogQuota } from '../logs/log-quota.ts';
import type { Leave, WantedStream } from '../release/owners-leave.ts';
import { agentApi } from './agent-api.ts';

const OPENED: (wanted: WantedStream) => Promise<Leave> = async () => 'opened';

/** Serves the API of an agent; `dial` makes a device with the given key. */
async function serveApi(t: TestContext, { runner, machine, context }: TestOrganisation, ask = OPENED) {
  const { keyring, identity } = context;
  const server = linkHttpServer(
    agentApi({ state: machine.state, keyring, locks: { suspended: new Set() }, runner, clock, leave: { ask } }),
  );
  const listener = servePayload({
    server,
    identity: identity.link,
    clock,
    rng,
    // Lets everybody in, so that what is tested is the API's own word.
    admit: (peer) => {
      const owner = keyring.keyring.byTlsKey(peer);
      return { allow: true, peer: owner === undefined ? { kind: 'unknown' } : { kind: 'known', id: owner.id } };
    },
  });
  t.after(() => listener.close(0));
  const lan = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  return async (key: TlsKey): Promise<PayloadAgent> => {
    const device = await createLinkIdentity({ key, clock, rng });
    const expect = expectKeys(identity.link.key.publicKey);
    const agent = payloadAgent({ routes: [{ kind: 'lan', ...lan }], identity: device, expect, clock });
    t.after(() => agent.destroy());
    return agent;
  };
}

async function textOf(agent: PayloadAgent, path: string): Promise<string> {
  const { body } = await streamPayload(agent, { method: 'GET', path });
  let text = '';
  for await (const part of body) text += String(part);
  return text;
}

describe('the API of an agent', () => {
  it('tells the device that ordered a job how it went and what it printed', async (t) => {
    const organisation = await openOrganisation(t);
    const dial = await serveApi(t, organisation);
    const { job } = await organisation.lease();
    const device = await dial(KEYS.deviceTls);
    const deadline = performance.now() + 10_000;
    while ((await requestPayload(device, { method: 'GET', path: `/v1/jobs/${job}` })).status === 404)
      assert.ok(performance.now() < deadline, 'the attempt never showed');
    const followed = await textOf(device, `/v1/jobs/${job}/logs?follow=1`);
    await organisation.settled();
    const { status, body } = await requestPayload(device, { method: 'GET', path: `/v1/jobs/${job}` });
    const view = attemptView.parse(body);
    assert.deepEqual([status, view.outcome, view.attempt, view.phase], [200, 'succeeded', 1, 'ended']);
    const whole = await textOf(device, `/v1/jobs/${job}/logs`);
    const lines = whole
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; text?: string; outcome?: string });
    assert.deepEqual(
      lines.map(({ kind, text, outcome }) => [kind, text ?? outcome]),
      [
        ['line', 'it ran'],
        ['end', 'succeeded'],
      ],
    );
    assert.equal(followed, whole);
    const quota = new LogQuota(organisation.machine.state, 1);
    assert.equal(quota.bytes, 0);
    const bytes = view.logBytes;
    assert.equal(
      await textOf(device, `/v1/jobs/${job}/logs`),
      `${JSON.stringify({ kind: 'dropped', bytes })}\n${JSON.stringify({ kind: 'end', outcome: 'succeeded' })}\n`,
      'whoever reads a log that made room for others is told how much is gone',
    );
    const after = attemptView.parse((await requestPayload(device, { method: 'GET', path: `/v1/jobs/${job}` })).body);
    assert.deepEqual(after, { ...view, logDropped: bytes });
  });

  it('tells the same device what the job reported, all of it or what is later than a moment', async (t) => {
    const run = 'echo "loss 0.5 step=1" > "$RINGFENCE_METRICS"; echo "no metric" > "$RINGFENCE_METRICS"';
    const organisation = await openOrganisation(t);
    const dial = await serveApi(t, organisation);
    const { job } = await organisation.lease({ workload: { ...WORKLOAD, run } });
    await organisation.settled();
    const device = await dial(KEYS.deviceTls);
    const asked = async (query: string): Promise<MetricLine[]> =>
      (await textOf(device, `/v1/jobs/${job}/metrics${query}`))
        .trim()
        .split('\n')
        .map((line) => metricLine.parse(JSON.parse(line)));
    const reported = (lines: readonly MetricLine[]) =>
      lines.flatMap((line) => (line.kind === 'series' && line.source === 'job' ? line.points : []));
    const all = await asked('');
    const [point] = reported(all);
    assert.deepEqual([point?.value, point?.step], [0.5, 1]);
    const state = all.find(({ kind }) => kind === 'state');
    assert.ok(state?.kind === 'state');
    assert.deepEqual([state.phase, state.outcome, state.refused], ['ended', 'succeeded', { malformed: 1 }]);
    assert.deepEqual(reported(await asked(`?since=${point?.at}`)), []);
    assert.equal(reported(await asked(`?since=${Number(point?.at) - 1}`)).length, 1);
    assert.equal(reported(await asked('?last=60000')).length, 1);
    assert.equal(reported(await asked('?last=0')).length, 0);
  });

  it('answers a stranger, and whatever is malformed, as if the job were not there', async (t) => {
    const organisation = await openOrganisation(t);
    const dial = await serveApi(t, organisation);
    const { job } = await organisation.lease();
    await organisation.settled();
    const ask = async (agent: PayloadAgent, path: string) => {
      const { status, body } = await requestPayload(agent, { method: 'GET', path });
      return { status, body };
    };
    const device = await dial(KEYS.deviceTls);
    const absent = await ask(device, `/v1/jobs/${newId('job', rng)}`);
    assert.equal(absent.status, 404);
    const stranger = await dial(TlsKey.generate(rng));
    for (const path of ['', '/logs', '/metrics', '?attempt=1'].map((part) => `/v1/jobs/${job}${part}`))
      assert.deepEqual(await ask(stranger, path), absent);
    const malformed = [
      '/v1/jobs/..%2f..%2fseal.key',
      `/v1/jobs/${job}/../../seal.key`,
      `/v1/jobs/${job}/logs/more`,
      `/v1/jobs/${job}?attempt=-1`,
      `/v1/jobs/${job}?attempt=1e3`,
      `/v1/jobs/${job}/logs?from=0x10`,
      `/v1/jobs/${job}/metrics?since=-1`,
      `/v1/jobs/${job}/metrics?last=1d`,
      `/v2/jobs/${job}`,
      '//',
    ];
    for (const path of malformed) assert.equal((await ask(device, path)).status, 404, path);
    const posted = await requestPayload(device, { method: 'POST', path: `/v1/jobs/${job}`, body: { json: {} } });
    assert.equal(posted.status, 404);
  });

  it('answers nobody while its keyring is so old that a reader may have been removed', async (t) => {
    let ahead = 0;
    const later = {
      now: () => epochMs(clock.now() + ahead),
      monotonic: () => clock.monotonic(),
      after: (delay: number, run: () => void) => clock.after(delay, run),
    };
    const organisation = await openOrganisation(t, {}, later);
    const dial = await serveApi(t, organisation);
    const { job } = await organisation.lease();
    await organisation.settled();
    const device = await dial(KEYS.deviceTls);
    const asked = async () =>
      Promise.all(
        [`/v1/jobs/${job}`, `/v1/jobs/${job}/logs?from=1000000`, `/v1/jobs/${job}/metrics`].map(async (path) => {
          const { status, body } = await streamPayload(device, { method: 'GET', path });
          for await (const _ of body);
          return status;
        }),
      );
    assert.deepEqual(await asked(), [200, 200, 200]);
    ahead = 25 * 3_600_000;
    assert.deepEqual(await asked(), [503, 503, 503]);
  });

  it('shows log and metrics of a job on restricted data by the owner’s word alone, and how it went without', async (t) => {
    const organisation = await openOrganisation(t);
    const [asked, words]: [WantedStream[], Leave[]] = [[], []];
    const dial = await serveApi(t, organisation, async (wanted: WantedStream) => {
      asked.push(wanted);
      return words.shift() ?? 'not-released';
    });
    const { job } = await organisation.lease();
    await organisation.settled();
    const device = await dial(KEYS.deviceTls);
    const folder = new AttemptFolder(organisation.machine.state, { job, attempt: 1 });
    const status = async (path: string) => {
      const answer = await streamPayload(device, { method: 'GET', path: `/v1/jobs/${job}${path}` });
      for await (const _ of answer.body);
      return answer.status;
    };
    assert.deepEqual([await status('/metrics'), asked.length], [200, 0], 'nobody is asked about internal data');
    for (const sensitivity of ['confidential', 'restricted'] as const) {
      folder.write({ ...(folder.about ?? assert.fail()), sensitivity });
      const refused = await requestPayload(device, { method: 'GET', path: `/v1/jobs/${job}/logs` });
      assert.deepEqual([refused.status, errorAnswer.parse(refused.body).error.code], [403, 'not-released']);
      words.push('unknown');
      assert.equal(await status('/metrics'), 503, 'no word is no leave');
      words.push('opened');
      assert.equal(await status('/metrics'), 200);
      words.push('opened', 'opened', 'opened');
      assert.match(await textOf(device, `/v1/jobs/${job}/logs`), /it ran/);
      words.push('opened');
      await assert.rejects(textOf(device, `/v1/jobs/${job}/logs?follow=1`), 'it ends with the word that opened it');
      assert.equal(await status(''), 200);
    }
    assert.deepEqual(asked[0], { job, attempt: 1, device: IDS.device, kind: 'logs' });
  });
});
