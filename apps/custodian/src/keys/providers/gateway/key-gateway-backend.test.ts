import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import type { KekProvider } from '../../kek-provider.ts';
import type { KekBudget } from '../budgeted-provider.ts';
import { opensAs, PLACE, provesWrapping, providerOf, refused, someKey } from '../provider-proof.fixture.ts';
import { KeyGatewayBackend } from './key-gateway-backend.ts';
import { startKeyGateway, type KeyGateway } from './key-gateway.fixture.ts';

async function serve(
  t: TestContext,
): Promise<
  KeyGateway & { open(certificate?: KeyGateway['certificate'] | null, budget?: Partial<KekBudget>): KekProvider }
> {
  const gateway = await startKeyGateway(t, PLACE.org);
  const { url, caFile } = gateway;
  return Object.assign(gateway, {
    open: (certificate: KeyGateway['certificate'] | null = gateway.certificate, budget: Partial<KekBudget> = {}) =>
      providerOf(
        t,
        new KeyGatewayBackend({ url, caFile, ...(certificate === null ? {} : { certificate }) }, systemClock),
        budget,
      ),
  });
}

test('wraps at the customer’s gateway, whose owner alone rotates and destroys', async (t) => {
  const gateway = await serve(t);
  const provider = gateway.open();
  const [place] = gateway.organisations;
  assert.equal(place, PLACE.org);
  // The proof asks for another organisation's key too, which this gateway would refuse as such.
  gateway.organisations.add('org_cccccccccccccccccccccccccc');
  assert.equal((await provesWrapping(provider)).keyVersion, '2026-1');
  await refused('kek-denied', () => provider.rotate());
  assert.deepEqual(await provider.destroy('2026-1'), { state: 'left-to-owner' });
  const key = someKey();
  const older = await provider.wrap(key, PLACE);
  gateway.keys.set('2026-2', randomBytes(32));
  gateway.current = '2026-2';
  assert.deepEqual(await provider.health(), { usable: true, keyVersion: '2026-2' });
  const newer = await provider.wrap(key, PLACE);
  assert.equal(newer.keyVersion, '2026-2');
  await refused('kek-tampered', () => provider.unwrap({ ...older, keyVersion: '2026-2' }, PLACE));
  await opensAs(provider, older, key);
  gateway.keys.delete('2026-1');
  await refused('kek-destroyed', () => provider.unwrap(older, PLACE));
  await opensAs(provider, newer, key);
  gateway.keys.clear();
  await refused('kek-destroyed', () => provider.wrap(key, PLACE));
  assert.deepEqual(await provider.health(), { usable: false, code: 'kek-destroyed' });
});

test('only a custodian whose certificate the gateway takes is heard', async (t) => {
  const gateway = await serve(t);
  await refused('kek-unavailable', () => gateway.open(gateway.stranger).wrap(someKey(), PLACE));
  await refused('kek-unavailable', () => gateway.open(null).wrap(someKey(), PLACE));
  assert.equal(gateway.requests(), 0);
  await gateway.open().wrap(someKey(), PLACE);
});

test('late, refused, busy and senseless answers each have their code', async (t) => {
  const gateway = await serve(t);
  const provider = gateway.open();
  const key = someKey();
  const wrapped = await provider.wrap(key, PLACE);
  const both = [() => provider.wrap(key, PLACE), () => provider.unwrap(wrapped, PLACE)];
  gateway.organisations.clear();
  for (const run of both) await refused('kek-denied', run);
  gateway.organisations.add(PLACE.org);
  const answers: [KeyGateway['instead'], Parameters<typeof refused>[0]][] = [
    [{ status: 503, json: { error: 'unavailable' } }, 'kek-unavailable'],
    [{ status: 403, json: { error: 'unavailable' } }, 'kek-unavailable'],
    [{ status: 404 }, 'kek-denied'],
    [{ status: 302, headers: { location: gateway.url } }, 'kek-denied'],
    [{ status: 200, json: { keyVersion: 'a', wrapped: '', plaintext: '' } }, 'kek-unavailable'],
    [{ status: 200, json: 'A' }, 'kek-unavailable'],
  ];
  for (const [instead, code] of answers) {
    gateway.instead = instead;
    for (const run of both) await refused(code, run);
  }
  gateway.instead = { status: 200, json: { plaintext: 'AAAA' } };
  await refused('kek-tampered', () => provider.unwrap(wrapped, PLACE));
  gateway.instead = undefined;
  gateway.fault = 'silent';
  await refused('kek-slow', () => gateway.open(undefined, { within: 60 }).unwrap(wrapped, PLACE));
  gateway.fault = undefined;
  await opensAs(provider, wrapped, key);
});
