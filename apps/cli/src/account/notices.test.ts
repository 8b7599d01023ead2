import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, ManualClock, newId, systemRng, type DeviceId } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import type { LockView, Notice } from '@ringfence/protocol/api';
import { noticeLine, readNotices, type NoticeSources } from './notices.ts';

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;
const sample = new SampleOrganisation('notices');
const officer = sample.addDevice('officer').id;
const [owner, auditor, ownerInProject] = [sample.addDevice().id, sample.addDevice().id, sample.addDevice().id];
const project = newId('project', systemRng);
sample.add({ kind: 'bind-role', device: owner, role: 'owner' });
sample.add({ kind: 'bind-role', device: auditor, role: 'auditor' });
sample.add({ kind: 'bind-role', device: ownerInProject, role: 'owner', project });

const refused = new ApiRefusal(403, 'not-authorised', 'no');
const away = new ApiRefusal(503, 'unavailable', 'later');
const own: Notice = { id: 'event-1', at: epochMs(NOW), about: { kind: 'passkey-suspended' }, text: 'suspended' };
const proposal = { proposal: newId('proposal', systemRng), kind: 'policy', phase: 'waiting', outcome: null };
const proposals = [
  { ...proposal, approvals: [], waitedMs: 2 * 3_600_000, madeAt: NOW - DAY_MS },
  { ...proposal, proposal: newId('proposal', systemRng), phase: 'done', outcome: 'done', approvals: [], madeAt: NOW },
];
const wish = { phase: 'collecting', approvals: 1, waitedMs: 0, expiresAt: epochMs(NOW + 6 * DAY_MS) } as const;

test('officers and owners are told what waits at the custodian; others are not, and do not ask for it', async () => {
  for (const device of [officer, owner]) {
    const asked = sources({ device });
    const { notices, silent } = await readNotices(asked.sources);
    assert.deepEqual(silent, {});
    const [first, second, ...more] = notices;
    assert.deepEqual([first, more], [own, []]);
    assert.match(second?.text ?? '', /^a change of policy is proposed: waiting \(2 h have run\); read it with /);
    assert.ok(second?.text.includes(`ringfence proposal object ${proposal.proposal}`));
    assert.equal(asked.count, 2);
  }
  for (const device of [auditor, ownerInProject, newId('device', systemRng)]) {
    const asked = sources({ device });
    assert.deepEqual(await readNotices(asked.sources), { notices: [own], silent: {} });
    assert.equal(asked.count, 0, 'neither for proposals nor for locks');
  }
});

test('a wish about a lock is as new as the wish, however old the lock', async () => {
  const lock = lockOf({ lifting: wish, confirming: { ...wish, phase: 'done' } });
  const waiting = lockOf({ confirming: { ...wish, phase: 'waiting', waitedMs: DAY_MS / 2 } });
  const { notices } = await readNotices(sources({ locks: [lockOf({}), lock, waiting], proposals: [] }).sources);
  assert.deepEqual(
    notices.map(({ id, at }) => [id, at]),
    [
      ['event-1', NOW],
      [`waits-${lock.lock}-lift-3`, NOW - DAY_MS],
      [`waits-${waiting.lock}-confirm-3`, NOW - DAY_MS],
    ],
  );
  assert.match(notices[1]?.text ?? '', new RegExp(`^an officer wants to lift ${lock.lock} at the custodian; `));
  assert.deepEqual(notices[1]?.about, { kind: 'waits', lock: lock.lock });
});

test('what does not answer is named, and takes nothing from what does', async () => {
  const about = async (given: Parameters<typeof sources>[0]) => {
    const { notices, silent } = await readNotices(sources(given).sources);
    return [notices.length, silent];
  };
  assert.deepEqual(await about({ proposals: away }), [1, { custodian: 'unavailable' }]);
  assert.deepEqual(await about({ locks: away }), [2, { custodian: 'unavailable' }]);
  assert.deepEqual(await about({ proposals: refused, locks: away }), [1, { custodian: 'unavailable' }]);
  assert.deepEqual(await about({ proposals: refused, locks: refused }), [1, {}], 'what a role may not list');
  assert.deepEqual(await about({ keyring: away }), [1, { custodian: 'unavailable' }]);
  assert.deepEqual(await about({ own: away }), [1, { 'control-plane': 'unavailable' }]);
  await assert.rejects(about({ own: away, keyring: refused }), away);
});

test('a custodian that answers too late is asked no more', async () => {
  const clock = new ManualClock();
  const late = Promise.withResolvers<SampleOrganisation['statements']>();
  const asked = sources({ keyring: late.promise });
  const read = readNotices(asked.sources, { clock, controlPlane: 1_000, custodian: 700 });
  clock.advance(700);
  assert.deepEqual(await read, { notices: [own], silent: { custodian: 'timed-out' } });
  late.resolve(sample.statements);
  await new Promise(setImmediate);
  assert.equal(asked.count, 0);
});

test('a keyring of another organisation makes nobody an officer', async () => {
  const forged = sources({ keyring: new SampleOrganisation('another').statements });
  const { notices, silent } = await readNotices(forged.sources);
  assert.deepEqual(notices, [own]);
  assert.notEqual(silent.custodian, undefined);
  assert.equal(forged.count, 0);
});

test('the words of a server are one line, and command no terminal', () => {
  const text = 'all is well\u001b]52;c;cm0gLXJm\u0007\nnotice: forged\u009b2J';
  assert.equal(
    noticeLine({ ...own, at: epochMs(1), text }),
    '1970-01-01T00:00:00.001Z  all is well␛]52;c;cm0gLXJm␇ notice: forged<9b>2J',
  );
});

/** A lock of a hundred days ago. */
function lockOf(wishes: Partial<Pick<LockView, 'confirming' | 'lifting'>>): LockView {
  return {
    lock: newId('lock', systemRng),
    target: { kind: 'device', device: auditor },
    source: 'officer',
    setAt: epochMs(NOW - 100 * DAY_MS),
    setBy: officer,
    until: null,
    term: 3,
    confirming: null,
    lifting: null,
    ...wishes,
  };
}

/** Both processes as they would answer, or refuse, and how often the custodian was asked for what waits. */
function sources(given: {
  readonly device?: DeviceId;
  readonly own?: Error;
  readonly keyring?: Error | SampleOrganisation['statements'] | Promise<SampleOrganisation['statements']>;
  readonly proposals?: Error | object[];
  readonly locks?: Error | LockView[];
}) {
  const answer = async <T>(value: T | Error | Promise<T>): Promise<T> => {
    if (value instanceof Error) throw value;
    return value;
  };
  const counted = <T>(value: T | Error) => {
    asked.count += 1;
    return answer(value);
  };
  const asked = {
    count: 0,
    sources: {
      profile: { orgRoot: sample.root.publicKey, device: given.device ?? officer },
      controlPlane: { notices: () => answer(given.own ?? [own]) },
      custodian: {
        keyring: async () => ({ statements: await answer(given.keyring ?? sample.statements) }),
        access: { proposals: () => counted(given.proposals ?? proposals) },
        locks: { list: () => counted(given.locks ?? []) },
      },
    } as unknown as NoticeSources,
  };
  return asked;
}
