import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, type Clock } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { checkHead, headMaxAge } from '@ringfence/keyring';
import { startControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig } from '../fixtures/organisation.fixture.ts';

const LOOK_EVERY_MS = 10_000;
const SHORT_LOOK_MS = 100;

test('a head that was signed while the clock was ahead is signed anew once the clock is right', async (t) => {
  let ahead = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => epochMs(systemClock.now() + ahead),
    // Of all timers only this look: what else waits, for a peer or the database, waits as long as it does elsewhere.
    after: (delay, run) => systemClock.after(delay === LOOK_EVERY_MS ? SHORT_LOOK_MS : delay, run),
  };
  const [rig, controlPlane] = await Promise.all([startRig({ clock }), startControlPlaneDouble()]);
  t.after(async () => {
    await rig.close();
    await controlPlane.close();
  });
  await claimRig(rig, controlPlane);
  const { claimed = assert.fail() } = rig.custodian.context.owner;
  const counts = (): boolean => {
    const rule = { now: systemClock.now(), maxAge: headMaxAge('internal') };
    return checkHead(claimed.keyring, claimed.head, rule).allow;
  };
  assert.equal(counts(), true);
  ahead = 1_200_000;
  await until(() => !counts());
  ahead = 0;
  await until(counts);
});
