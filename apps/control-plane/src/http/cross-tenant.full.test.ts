import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import type { Authoriser } from '@ringfence/policy/authorise';
import fc from 'fast-check';
import { openTestStore, startDatabase, startReplica } from '../control-plane.fixture.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { codeOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { sendRaw, signedRaw } from './raw-request.fixture.ts';
import { routeTable } from './route-table.ts';
import { settledDigest } from './table-digest.fixture.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_122);
console.log(`seed ${seed} (FUZZ_SEED)`);
const rng = seededRng('cross-tenant');
const routes = routeTable({} as ControlPlaneContext, 'test').filter(({ action }) => action !== 'public');

/** Permits whatever is asked: only what the rows' own policies hide is hidden then. */
const ANYTHING: Authoriser = { authorise: () => ({ allow: true, policies: ['anything'] }) };

interface Tenant {
  readonly house: TestOrganisation;
  /** Every id that is this organisation's. */
  readonly ids: readonly string[];
}

const call = fc.record({
  route: fc.nat({ max: routes.length - 1 }),
  id: fc.nat(),
  body: fc.constantFrom<unknown>({}, { graceMs: 0 }, { drain: true }, { until: 1 }, { name: 'x' }, []),
});

for (const [what, authoriser] of [
  ['with its checks', undefined],
  ['with the check of roles dropped', ANYTHING],
] as const)
  test(`an API ${what} tells and changes nothing of another organisation, whatever is called`, async (t) => {
    const { ours, theirs, ask, digestOf } = await twoTenants(t, authoriser);
    for (const [caller, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      const before = await digestOf(other);
      let answered = 0;
      await fc.assert(
        fc.asyncProperty(call, async ({ route, id, body }) => {
          const { text, status } = await ask(caller, other, { route, id, body });
          if (status < 300) answered += 1;
          for (const foreign of other.ids) assert.ok(!text.includes(foreign), `${routes[route]?.path}: ${text}`);
        }),
        { numRuns: 400, seed },
      );
      assert.ok(answered > 20, 'some calls were answered');
      assert.equal(await digestOf(other), before, 'nothing of the other was changed');
    }
  });

async function twoTenants(t: TestContext, authoriser: Authoriser | undefined) {
  const database = await startDatabase(t);
  const controlPlane = await startReplica(t, {
    databaseUrl: database.url,
    ...(authoriser === undefined ? {} : { authoriser }),
  });
  const store = await openTestStore(t, database.url);
  const enrol = async (house: TestOrganisation, code: ReturnType<typeof codeOf>): Promise<Tenant> => {
    const { client } = await house.enrol(t, controlPlane, code);
    const { job } = await client.submit(house.submission({ placement: { isolation: 'microvm' } }));
    return { house, ids: [house.org, house.device.id, house.agent.id, house.agent.site, house.custodian.id, job] };
  };
  const ours = await enrol(new TestOrganisation(), codeOf(controlPlane));
  const theirs = await enrol(new TestOrganisation(), await printCode(t, controlPlane, database.url));
  const digestOf = ({ house }: Tenant) => settledDigest(store, [house.org]);
  const ask = (caller: Tenant, other: Tenant, made: { route: number; id: number; body: unknown }) => {
    const { method, path } = routes[made.route] ?? assert.fail();
    const pool = [...other.ids, ...caller.ids, newId('job', rng)];
    // What the caller itself says may come back: it is put where a route looks an id up, and the answer is searched for the others.
    const id = pool[made.id % pool.length] ?? '';
    const sent = method === 'GET' ? {} : { value: made.body };
    return sendRaw(
      controlPlane,
      signedRaw(caller.house, clock, { method: method as 'GET', path: path.replaceAll(/:[a-z]+/gi, id), ...sent }),
    ).then(({ status, text }) => ({ status, text: text.replaceAll(id, '') }));
  };
  return { ours, theirs, ask, digestOf };
}
