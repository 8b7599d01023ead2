import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { newId, systemRng, utf8 } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { openTestStore, ShiftedClock, startDatabase } from '../control-plane.fixture.ts';
import { beginCeremony, CEREMONY_MS, forgetCeremonies, spendCeremony } from './ceremony.ts';

const browser = sha256Hex(utf8('a browser'));
const kind = 'passkey-sign-in';

async function twoReplicas(t: TestContext) {
  const { url } = await startDatabase(t);
  const clock = new ShiftedClock();
  const stores = [await openTestStore(t, url), await openTestStore(t, url)] as const;
  const [one, two] = stores.map((store) => ({ store, clock, rng: systemRng }));
  assert.ok(one !== undefined && two !== undefined);
  return { one, two, clock };
}

test('a ceremony is ended once, by the browser that began it, in its time', async (t) => {
  const { one, two, clock } = await twoReplicas(t);
  const begin = () => beginCeremony(one, { kind, browser });

  await t.test('of many at once, at two replicas, one', async () => {
    const rounds = process.env['RINGFENCE_TEST_FULL'] === '1' ? 200 : 8;
    for (let round = 0; round < rounds; round += 1) {
      const { ceremony, challenge } = await begin();
      const end = { ceremony, kind, browser, holder: null } as const;
      const all = Array.from({ length: 64 }, (_, at) => spendCeremony(at % 2 === 0 ? one : two, end));
      const won = (await Promise.all(all)).filter((spent) => spent !== undefined);
      assert.deepEqual(
        won.map((spent) => spent.challenge),
        [challenge],
      );
    }
  });

  await t.test('nobody else, not late, and not as something else', async () => {
    const { ceremony } = await begin();
    const end = { ceremony, kind, browser, holder: null } as const;
    const others = [
      { ...end, browser: sha256Hex(utf8('another browser')) },
      { ...end, kind: 'passkey-step-up' as const },
      { ...end, holder: newId('session', systemRng) },
      { ...end, ceremony: newId('ceremony', systemRng) },
    ];
    for (const other of others) assert.equal(await spendCeremony(two, other), undefined);
    const late = await begin();
    assert.notEqual(await spendCeremony(two, end), undefined);
    clock.shift(CEREMONY_MS);
    assert.equal(await spendCeremony(two, { ...end, ceremony: late.ceremony }), undefined);
    clock.shift(CEREMONY_MS + 1);
    await forgetCeremonies(one);
    const left = await one.store.querySystem('spend-ceremony', (db) => db.selectFrom('ceremony').selectAll().compile());
    assert.deepEqual(left, []);
  });
});
