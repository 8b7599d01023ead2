import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, randomBelow, seededRng } from '@ringfence/base';
import { SigningKey, type Envelope } from '@ringfence/crypto/sign';
import { keyringStatement, type KeyringChange, type KeyringStatement } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { HOUR_MS, SampleOrganisation, START } from '../sample-organisation.fixture.ts';
import { readStatement, signStatement } from '../statement.ts';
import { extendKeyring, foldKeyring, genesisStatement, nextStatement } from './fold.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_270_115);
console.log(`seed ${seed} (FUZZ_SEED)`);

function grown(name: string): SampleOrganisation {
  const sample = new SampleOrganisation(name);
  const officer = sample.addDevice('officer');
  const custodian = sample.addCustodian();
  const agents = [sample.addAgent(custodian.enrolment), sample.addAgent(custodian.enrolment)] as const;
  const device = sample.addDevice();
  sample.add({ kind: 'bind-role', device: device.id, role: 'owner' });
  sample.add({ kind: 'bind-role', device: device.id, role: 'auditor' });
  sample.add({ kind: 'unbind-role', device: device.id, role: 'auditor' }, officer.sign);
  sample.add({ kind: 'remove', subject: agents[0].id, reason: 'lost' }, custodian.enrolment);
  sample.add({ kind: 'remove', subject: device.id, reason: 'left' }, officer.sign);
  return sample;
}

describe('foldKeyring refuses', () => {
  const { statements, root } = grown('valid');
  const other = grown('other');
  const refuses = (list: readonly Envelope[], what: string): void => {
    assert.throws(() => foldKeyring(list, root.publicKey), KeyringError, what);
  };

  it('nothing, a list without its beginning, and a second beginning', () => {
    assert.throws(() => foldKeyring([]), { code: 'after-genesis' });
    assert.throws(() => foldKeyring(statements.slice(1)), { code: 'after-genesis' });
    const change = { kind: 'genesis' as const, root: root.publicKey, recovery: { threshold: 1, keys: [] } };
    const again = { ...nextStatement(foldKeyring(statements), { ...change, recovery: recoveryOf() }, START) };
    assert.throws(() => foldKeyring([...statements, signStatement('keyring', again, [root])]), {
      code: 'after-genesis',
    });
  });

  it('every removal of one statement but the last, every exchange of two, every doubling', () => {
    for (let at = 0; at < statements.length - 1; at += 1) {
      refuses(statements.toSpliced(at, 1), `without ${at}`);
      refuses(statements.toSpliced(at + 1, 0, statements[at] ?? assert.fail()), `twice ${at}`);
      for (let to = at + 1; to < statements.length; to += 1) {
        refuses(
          statements.with(at, statements[to] ?? assert.fail()).with(to, statements[at] ?? assert.fail()),
          'swapped',
        );
      }
    }
  });

  it('every statement of another organisation in place of its own', () => {
    for (let at = 0; at < statements.length; at += 1) {
      refuses(statements.with(at, other.statements[at] ?? assert.fail()), `foreign ${at}`);
    }
    assert.throws(() => foldKeyring(other.statements, root.publicKey), { code: 'wrong-root' });
  });

  it('5,000 random edits of payloads and signatures', () => {
    const rng = seededRng(`edits ${seed}`);
    const prefixes = statements.map((_, at) => (at === 0 ? undefined : foldKeyring(statements.slice(0, at))));
    for (let round = 0; round < 5_000; round += 1) {
      const at = randomBelow(rng, statements.length);
      const edited = flip(statements[at] ?? assert.fail(), (bound) => randomBelow(rng, bound));
      const before = prefixes[at];
      const attempt = (): unknown => (before === undefined ? foldKeyring([edited]) : extendKeyring(before, edited));
      assert.throws(attempt, KeyringError, `round ${round}`);
    }
  });

  it('every single field of every statement, edited under the old signature or signed by a stranger', () => {
    let edits = 0;
    for (const [at, envelope] of statements.entries()) {
      for (const edited of editsOf(readStatement('keyring', envelope).claimed)) {
        const forged = signStatement('keyring', edited, [other.root]);
        refuses([...statements.slice(0, at), forged], JSON.stringify(edited));
        refuses([...statements.slice(0, at), { ...forged, signatures: envelope.signatures }], JSON.stringify(edited));
        edits += 1;
      }
    }
    assert.ok(edits > statements.length * 4);
  });

  it('a right signature over the wrong place, time or organisation', () => {
    const keyring = foldKeyring(statements);
    const change: KeyringChange = { kind: 'add-admitter', key: other.key().publicKey, tier: 'private' };
    const next = nextStatement(keyring, change, START);
    const codes = [
      [{ ...next, seq: next.seq + 1 }, 'broken-chain'],
      [{ ...next, seq: next.seq - 1 }, 'broken-chain'],
      [{ ...next, prev: readStatement('keyring', statements[0] ?? assert.fail()).digest }, 'broken-chain'],
      [{ ...next, org: other.org }, 'wrong-org'],
      [{ ...next, at: epochMs(START - 1) }, 'back-dated'],
    ] as const;
    for (const [body, code] of codes) {
      assert.throws(() => extendKeyring(keyring, signStatement('keyring', body, [root])), { code });
    }
    assert.doesNotThrow(() => extendKeyring(keyring, signStatement('keyring', next, [root]), START));
    const ahead = signStatement('keyring', { ...next, at: epochMs(START + HOUR_MS) }, [root]);
    assert.throws(() => extendKeyring(keyring, ahead, START), { code: 'post-dated' });
  });

  function recoveryOf() {
    return { threshold: 1, keys: [other.key().publicKey] };
  }
});

describe('ids and keys', () => {
  it('belong to one subject for ever, in one role', () => {
    const sample = new SampleOrganisation('reuse');
    const custodian = sample.addCustodian();
    const device = sample.addDevice();
    const agent = sample.addAgent();
    const entry = sample.keyring.agent(agent.id) ?? assert.fail();
    const taken = [
      sample.root.publicKey,
      sample.recovery[0]?.publicKey ?? assert.fail(),
      custodian.enrolment.publicKey,
      custodian.sign.publicKey,
      device.sign.publicKey,
      entry.sign,
      entry.tls as unknown as typeof entry.sign,
    ];
    const fresh = { kind: 'add-device' as const, device: newId('device', sample.rng), tls: sample.tls() };
    const add = (change: KeyringChange) => () => extendKeyring(sample.keyring, sample.sign(change, sample.root));
    for (const sign of taken) {
      assert.throws(add({ ...fresh, sign }), { code: 'duplicate' });
      assert.throws(add({ ...fresh, sign: sample.key().publicKey, tls: sign as unknown as typeof fresh.tls }), {
        code: 'duplicate',
      });
      assert.throws(add({ kind: 'add-peer', org: newId('org', sample.rng), root: sign }), { code: 'duplicate' });
    }
    const key = sample.key().publicKey;
    assert.throws(add({ ...fresh, sign: key, tls: key as unknown as typeof fresh.tls }), { code: 'duplicate' });
    assert.throws(add({ ...fresh, sign: key, device: device.id }), { code: 'duplicate' });
    assert.throws(add({ kind: 'add-peer', org: sample.org, root: key }), { code: 'duplicate' });
    assert.doesNotThrow(add({ ...fresh, sign: key }));
  });

  it('never come back after a removal', () => {
    const sample = new SampleOrganisation('removed');
    const device = sample.addDevice();
    const { tls } = sample.keyring.device(device.id) ?? assert.fail();
    assert.deepEqual(sample.keyring.byTlsKey(tls), { kind: 'device', id: device.id });
    sample.add({ kind: 'remove', subject: device.id, reason: 'lost' });
    assert.equal(sample.keyring.byTlsKey(tls), undefined);
    assert.equal(sample.keyring.deviceKey(device.id), undefined);
    assert.ok(sample.keyring.isRemoved(device.id));
    const add = (change: KeyringChange) => () => extendKeyring(sample.keyring, sample.sign(change, sample.root));
    const fresh = { sign: sample.key().publicKey, tls: sample.tls() };
    const id = newId('device', sample.rng);
    assert.throws(add({ kind: 'add-device', ...fresh, device: device.id }), { code: 'removed' });
    assert.throws(add({ kind: 'add-device', ...fresh, device: id, sign: device.sign.publicKey }), { code: 'removed' });
    assert.throws(add({ kind: 'add-device', ...fresh, device: id, tls }), { code: 'removed' });
    assert.throws(add({ kind: 'remove', subject: device.id, reason: 'lost' }), { code: 'removed' });
    assert.throws(add({ kind: 'bind-role', device: device.id, role: 'owner' }), { code: 'removed' });
    assert.throws(add({ kind: 'bind-role', device: id, role: 'owner' }), { code: 'unknown-subject' });
  });

  it('are told nothing twice', () => {
    const sample = new SampleOrganisation('twice');
    const { id } = sample.addDevice('officer');
    const project = newId('project', sample.rng);
    const bind = { kind: 'bind-role' as const, device: id, role: 'operator' as const };
    sample.add(bind);
    sample.add({ ...bind, project });
    const again: KeyringChange[] = [{ kind: 'add-officer', device: id }, bind, { ...bind, project }];
    for (const change of again) assert.throws(() => sample.add(change), { code: 'duplicate' });
    assert.deepEqual(sample.keyring.rolesOf(id), [{ role: 'operator' }, { role: 'operator', project }]);
  });

  it('lose the one binding that is taken back, which can be given again', () => {
    const sample = new SampleOrganisation('unbinding');
    const [one, other] = [sample.addDevice('officer'), sample.addDevice()];
    const project = newId('project', sample.rng);
    const operator = { device: one.id, role: 'operator' as const };
    for (const device of [one.id, other.id]) sample.add({ kind: 'bind-role', device, role: 'operator' });
    sample.add({ kind: 'bind-role', ...operator, project });
    const kept = sample.keyring;
    sample.add({ kind: 'unbind-role', ...operator }, one.sign);
    assert.deepEqual(sample.keyring.rolesOf(one.id), [{ role: 'operator', project }]);
    assert.deepEqual(sample.keyring.rolesOf(other.id), [{ role: 'operator' }]);
    assert.equal(kept.rolesOf(one.id).length, 2, 'the keyring of before stays as it was');
    const refused = (change: KeyringChange, code: string) =>
      assert.throws(() => sample.add(change), { name: 'KeyringError', code });
    refused({ kind: 'unbind-role', ...operator }, 'duplicate');
    refused({ kind: 'unbind-role', ...operator, role: 'auditor' }, 'duplicate');
    refused({ kind: 'unbind-role', ...operator, project: newId('project', sample.rng) }, 'duplicate');
    refused({ kind: 'unbind-role', ...operator, device: newId('device', sample.rng) }, 'unknown-subject');
    sample.add({ kind: 'bind-role', ...operator });
    sample.add({ kind: 'unbind-role', ...operator, project });
    assert.deepEqual(sample.keyring.rolesOf(one.id), [{ role: 'operator' }]);
    sample.add({ kind: 'remove', subject: other.id, reason: 'left' });
    refused({ kind: 'unbind-role', ...operator, device: other.id }, 'removed');
    assert.deepEqual(foldKeyring(sample.statements).rolesOf(one.id), [{ role: 'operator' }]);
  });

  it('keep one role that may change the keyring: nobody could bind any again', () => {
    const sample = new SampleOrganisation('last owner');
    const [one, other] = [sample.addDevice('officer'), sample.addDevice()];
    const project = newId('project', sample.rng);
    const unbind = (device: typeof one.id, role: 'owner' | 'officer'): KeyringChange => ({
      kind: 'unbind-role',
      device,
      role,
    });
    sample.add({ kind: 'bind-role', device: one.id, role: 'owner' });
    sample.add({ kind: 'bind-role', device: other.id, role: 'owner', project });
    sample.add({ kind: 'bind-role', device: other.id, role: 'auditor' });
    assert.throws(() => sample.add(unbind(one.id, 'owner')), { name: 'KeyringError', code: 'last-owner' });
    sample.add({ ...unbind(other.id, 'owner'), project } as KeyringChange);
    sample.add({ kind: 'bind-role', device: other.id, role: 'officer' });
    sample.add(unbind(one.id, 'owner'));
    assert.throws(() => sample.add(unbind(other.id, 'officer')), { name: 'KeyringError', code: 'last-owner' });
  });

  it('are keys: no point of small order signs or identifies', () => {
    const sample = new SampleOrganisation('small');
    const identity = 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' as ReturnType<typeof sample.key>['publicKey'];
    const change: KeyringChange = {
      kind: 'add-device',
      device: newId('device', sample.rng),
      sign: identity,
      tls: sample.tls(),
    };
    assert.throws(() => sample.add(change), { code: 'bad-key' });
  });

  it('are spelt in one way: stray bits of base64url are no second key', () => {
    const sample = new SampleOrganisation('spelling');
    const device = sample.addDevice();
    const last = device.sign.publicKey.at(-1) ?? assert.fail();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = device.sign.publicKey.slice(0, -1) + alphabet.charAt(alphabet.indexOf(last) + 1);
    assert.deepEqual(Buffer.from(twin, 'base64url'), Buffer.from(device.sign.publicKey, 'base64url'));
    const change = { kind: 'add-peer', org: newId('org', sample.rng), root: twin } as KeyringChange;
    assert.throws(() => sample.add(change), { code: 'malformed' });
  });
});

describe('genesis', () => {
  it('is refused with recovery keys that could never act, or that are the root', () => {
    const rng = seededRng('genesis');
    const root = SigningKey.generate(rng);
    const key = SigningKey.generate(rng).publicKey;
    const begin = (threshold: number, keys: (typeof key)[]) => () => {
      const change = { kind: 'genesis' as const, root: root.publicKey, recovery: { threshold, keys } };
      return foldKeyring([signStatement('keyring', genesisStatement(newId('org', rng), change, START), [root])]);
    };
    assert.doesNotThrow(begin(1, [key]));
    assert.throws(begin(2, [key]), { code: 'bad-recovery' });
    assert.throws(begin(1, [key, key]), { code: 'duplicate' });
    assert.throws(begin(1, [root.publicKey]), { code: 'duplicate' });
    assert.throws(begin(8, [key]), { code: 'malformed' });
  });

  it('is signed by the root that it names', () => {
    const rng = seededRng('forged');
    const [root, forger, spare] = [SigningKey.generate(rng), SigningKey.generate(rng), SigningKey.generate(rng)];
    const recovery = { threshold: 1, keys: [spare.publicKey] };
    const body = genesisStatement(newId('org', rng), { kind: 'genesis', root: root.publicKey, recovery }, START);
    assert.throws(() => foldKeyring([signStatement('keyring', body, [forger])]), { code: 'bad-signature' });
  });
});

/** One bit of the payload, of a signature or of a key id. */
function flip(envelope: Envelope, below: (bound: number) => number): Envelope {
  const [first, ...others] = envelope.signatures;
  if (first === undefined) assert.fail();
  if (below(3) > 0) {
    const payload = Buffer.from(envelope.payload, 'base64');
    const at = below(payload.length);
    payload.writeUInt8(payload.readUInt8(at) ^ (1 << below(8)), at);
    return { ...envelope, payload: payload.toString('base64') };
  }
  const sig = Buffer.from(first.sig, 'base64');
  const at = below(sig.length);
  sig.writeUInt8(sig.readUInt8(at) ^ (1 << below(8)), at);
  return { ...envelope, signatures: [{ ...first, sig: sig.toString('base64') }, ...others] };
}

/** Every statement that differs from `body` in one number or one letter of one string. */
function editsOf(body: KeyringStatement): KeyringStatement[] {
  const visit = (value: unknown): unknown[] => {
    if (typeof value === 'number') return [value + 1];
    if (typeof value === 'boolean') return [!value];
    if (typeof value === 'string')
      return [value.replace(/[a-h](?=[^a-h]*$)/, (letter) => (letter === 'a' ? 'b' : 'a'))];
    if (Array.isArray(value)) return value.flatMap((item, at) => visit(item).map((edit) => value.with(at, edit)));
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, item]) => visit(item).map((edit) => ({ ...value, [key]: edit })));
  };
  return visit(body).flatMap((edit) => {
    const parsed = keyringStatement.safeParse(edit);
    return parsed.success && JSON.stringify(edit) !== JSON.stringify(body) ? [parsed.data] : [];
  });
}
