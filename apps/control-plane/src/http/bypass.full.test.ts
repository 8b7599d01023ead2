import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { ACTION_ASSURANCE, CEREMONY_ASSURANCE } from '@ringfence/policy/assurance';
import { openTestStore, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { codeOf, memberOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { TestBrowser } from '../sessions/test-browser.fixture.ts';
import { sendRaw, signedRaw, type RawRequest } from './raw-request.fixture.ts';
import type { Route } from './route.ts';
import { routeTable } from './route-table.ts';
import { settledDigest, tableDigest } from './table-digest.fixture.ts';

type Asked = Exclude<Route, { action: 'public' }>;

/** One way round the door: what is sent to a route, and the only answer that is right. */
interface Way {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  readonly request: (call: Call) => RawRequest | Promise<RawRequest>;
  /** Routes at which it is tried; all unless told. */
  readonly at?: (route: Asked) => boolean;
}

interface Call {
  readonly method: 'GET';
  readonly path: string;
  readonly value?: unknown;
}

const changes = ({ method }: Asked): boolean => method !== 'GET';

test('every route refuses every way round, in the right words, and nothing is changed', async (t) => {
  const { controlPlane, ours, theirs, store, send } = await twoOrganisations(t);
  const { job } = await ours.client.submit(ours.house.submission({ placement: { isolation: 'microvm' } }));
  const routes = routeTable({} as ControlPlaneContext, 'test').filter(
    (route): route is Asked => route.action !== 'public',
  );
  assert.ok(routes.length > 10, 'the table has routes');
  const orgs = [ours.house.org, theirs.house.org];
  const before = await settledDigest(store, orgs);
  const goesRound = async (way: Way, digest: string): Promise<void> => {
    const at = routes.filter(way.at ?? (() => true));
    assert.ok(at.length > 5);
    for (const route of at) {
      const path = route.path
        .replaceAll(':job', job)
        .replaceAll(':agent', ours.house.agent.id)
        .replaceAll(/:[a-z]+/g, 'any');
      const call = { method: route.method as 'GET', path, ...(changes(route) ? { value: {} } : {}) };
      const { status, text } = await send(await way.request(call));
      assert.equal(status, way.status, `${route.method} ${route.path}: ${text}`);
      assert.equal((JSON.parse(text) as { error: { code: string } }).error.code, way.code, route.path);
    }
    assert.equal(await tableDigest(store, orgs), digest, 'nothing was changed');
  };
  for (const way of waysRound(ours.house, theirs.house)) await t.test(way.name, () => goesRound(way, before));

  await t.test('a request that was taken once', async () => {
    const stop = signedRaw(ours.house, clock, { method: 'POST', path: `/v1/jobs/${job}/stop`, value: { graceMs: 0 } });
    assert.equal((await send(stop)).status, 200);
    const after = await settledDigest(store, orgs);
    assert.notEqual(after, before, 'the digest sees a change');
    assert.equal((await send(stop)).status, 401);
    assert.equal(await tableDigest(store, orgs), after);
  });

  await t.test('a device that is locked', async () => {
    const mate = { id: newId('device', systemRng), sign: SigningKey.generate(systemRng) };
    await ours.custodian.send(memberOf(mate));
    const request = (call: Call): RawRequest => signedRaw({ device: mate }, clock, call);
    await until('it is known', async () => (await send(request({ method: 'GET', path: '/v1/jobs' }))).status === 200);
    await ours.client.locks.set({ kind: 'device', device: mate.id });
    const digest = await settledDigest(store, orgs);
    await goesRound({ name: 'locked', status: 403, code: 'locked', request }, digest);
  });

  await t.test('a device that nobody stepped up, where an owner has factors', async () => {
    const owner = new TestBrowser(controlPlane, clock);
    await owner.accept(await ours.client.inviteMember({ roles: [{ role: 'owner' }] }));
    await owner.enrol();
    const request = (call: Call): RawRequest => signedRaw(ours.house, clock, call);
    const digest = await settledDigest(store, orgs);
    await goesRound({ name: 'not sure', status: 401, code: 'step-up', request, at: asksForMore }, digest);
    assert.equal((await send(request({ method: 'GET', path: '/v1/jobs' }))).status, 200, 'what asks level 1 goes on');
  });
});

/** Whether a device's key alone is too little once members have factors. */
function asksForMore(route: Asked): boolean {
  if (route.by === 'session') return false;
  if (route.action !== 'account') return ACTION_ASSURANCE[route.action].level > 1;
  return route.ceremony !== undefined && CEREMONY_ASSURANCE[route.ceremony].level > 1;
}

function waysRound(ours: TestOrganisation, theirs: TestOrganisation): Way[] {
  const refused = { status: 401, code: 'not-authenticated' } as const;
  const stranger = { device: { id: newId('device', systemRng), sign: SigningKey.generate(systemRng) } };
  const thief = { device: { id: ours.device.id, sign: SigningKey.generate(systemRng) } };
  return [
    { name: 'no credential', ...refused, request: bare },
    { name: 'an expired signature', ...refused, request: (call) => signedRaw(ours, clock, call, { createdAgo: 70 }) },
    { name: 'a signature of later', ...refused, request: (call) => signedRaw(ours, clock, call, { createdAgo: -70 }) },
    { name: 'a key that nobody knows', ...refused, request: (call) => signedRaw(stranger, clock, call) },
    { name: 'another key under our id', ...refused, request: (call) => signedRaw(thief, clock, call) },
    {
      name: 'our key under their id',
      ...refused,
      request: (call) => signedRaw(ours, clock, call, { as: theirs.device.id }),
    },
    {
      name: 'an agent’s key',
      ...refused,
      request: (call) => signedRaw({ device: { id: ours.agent.id as never, sign: ours.agent.sign } }, clock, call),
    },
    {
      name: 'a signature for another path',
      ...refused,
      request: (call) => ({ ...signedRaw(ours, clock, { ...call, path: '/v1/elsewhere' }), path: call.path }),
    },
    {
      name: 'a signature for another query',
      ...refused,
      request: (call) => ({ ...signedRaw(ours, clock, call), path: `${call.path}?all=1` }),
    },
    {
      name: 'a signature for another method',
      ...refused,
      request: (call) => ({ ...signedRaw(ours, clock, { ...call, method: 'POST' }), method: call.method }),
      at: (route) => route.method !== 'POST',
    },
    {
      name: 'a signature over another body',
      ...refused,
      request: (call) => ({ ...signedRaw(ours, clock, { ...call, value: { other: 1 } }), body: Buffer.from('{}') }),
      at: changes,
    },
    {
      name: 'another algorithm',
      ...refused,
      request: (call) => withInput(signedRaw(ours, clock, call), (input) => `${input};alg="hmac-sha256"`),
    },
    {
      name: 'no algorithm at all',
      ...refused,
      request: (call) => withInput(signedRaw(ours, clock, call), (input) => `${input};alg="none"`),
    },
    {
      name: 'a shorter list of what is signed',
      ...refused,
      request: (call) =>
        withInput(signedRaw(ours, clock, call), (input) =>
          input.replace('"content-digest" ', '').replace(' "content-digest"', ''),
        ),
    },
    {
      name: 'a bearer token',
      ...refused,
      request: (call) => ({ ...bare(call), headers: { authorization: `Bearer ${ours.device.id}` } }),
    },
    {
      name: 'a page of another origin',
      status: 403,
      code: 'cross-site',
      request: (call) => ({
        ...bare(call),
        headers: { cookie: '__Host-rf=stolen', origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
      }),
    },
    {
      name: 'a body that is too large',
      status: 413,
      code: 'too-much',
      request: (call) => ({ ...bare(call), body: Buffer.alloc(70_000, 0x20) }),
      at: changes,
    },
  ];
}

function bare({ method, path, value }: Call): RawRequest {
  return { method, path, ...(value === undefined ? {} : { body: Buffer.from(JSON.stringify(value)) }) };
}

function withInput(request: RawRequest, edit: (input: string) => string): RawRequest {
  const input = request.headers?.['signature-input'] ?? assert.fail('it is signed');
  const edited = edit(input);
  assert.notEqual(edited, input);
  return { ...request, headers: { ...request.headers, 'signature-input': edited } };
}

async function twoOrganisations(t: TestContext) {
  const database = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: database.url });
  const [ours, theirs] = [new TestOrganisation(), new TestOrganisation()];
  const mine = await ours.enrol(t, controlPlane, codeOf(controlPlane));
  const other = await theirs.enrol(t, controlPlane, await printCode(t, controlPlane, database.url));
  return {
    controlPlane,
    ours: { house: ours, ...mine },
    theirs: { house: theirs, ...other },
    store: await openTestStore(t, database.url),
    send: (request: RawRequest) => sendRaw(controlPlane, request),
  };
}
