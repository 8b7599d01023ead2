import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, seededRng, type Rng } from '@ringfence/base';
import { signEnvelope, type Envelope } from '@ringfence/crypto/sign';
import { STATEMENTS, type StatementName } from '@ringfence/protocol/statements';
import { KeyringError } from './keyring-error.ts';
import { SampleOrganisation } from './sample-organisation.fixture.ts';
import {
  parseEnvelope,
  readStatement,
  signStatement,
  statementType,
  verifyStatement,
  type Verified,
} from './statement.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const seed = Number(process.env['FUZZ_SEED'] ?? 20_270_116);
console.log(`seed ${seed} (FUZZ_SEED)`);
Error.stackTraceLimit = 0;
const sample = new SampleOrganisation('statement');
sample.addDevice('officer');
sample.addAgent();
const envelope = sample.statements.at(-1) ?? assert.fail();
const names = Object.keys(STATEMENTS) as StatementName[];

describe('a statement', () => {
  it('reads as what it was signed as, and as nothing else', () => {
    const read = readStatement('keyring', envelope);
    assert.equal(read.claimed.seq, sample.keyring.head.seq);
    assert.equal(read.digest, sample.keyring.head.digest);
    for (const name of names.filter((other) => other !== 'keyring')) {
      assert.throws(() => readStatement(name, envelope), { code: 'malformed' });
      assert.throws(() => readStatement(name, { ...envelope, payloadType: statementType(name) }), {
        code: 'malformed',
      });
    }
  });

  it('is not read under another type than its own, even if its words would fit', () => {
    for (const payloadType of ['', 'application/json', 'application/vnd.ringfence.keyring.v2+json']) {
      assert.throws(() => readStatement('keyring', { ...envelope, payloadType }), { code: 'malformed' });
    }
  });

  it('is verified only under the keys and the threshold asked for', () => {
    const read = readStatement('keyring', envelope);
    const verified: Verified<'keyring'> = verifyStatement(read, [sample.root.publicKey]);
    assert.equal(verified.body.seq, read.claimed.seq);
    for (const keys of [[], [sample.key().publicKey]]) {
      assert.throws(() => verifyStatement(read, keys), { code: 'bad-signature' });
    }
    const twice = [sample.root.publicKey, sample.root.publicKey];
    assert.throws(() => verifyStatement(read, twice, 2), { code: 'bad-signature' });
  });

  it('cannot be mistaken for a verified one', () => {
    const read = readStatement('keyring', envelope);
    // @ts-expect-error an unverified statement is no verified one
    const verified: Verified<'keyring'> = read;
    assert.equal((verified as { body?: unknown }).body, undefined, 'nor has it a body at run time');
  });

  it('is canonical: the same words in another order or spelling are another thing', () => {
    const { claimed } = readStatement('keyring', envelope);
    const loose = Buffer.from(JSON.stringify({ ...claimed, org: claimed.org }, undefined, 1)).toString('base64');
    const doubled = Buffer.from(JSON.stringify(claimed).replace('{', '{"v":1,')).toString('base64');
    const type = statementType('keyring');
    for (const payload of [loose, doubled]) {
      const { signatures } = signEnvelope(type, {}, [sample.root]);
      assert.throws(
        () =>
          verifyStatement(readStatement('keyring', { payloadType: type, payload, signatures }), [
            sample.root.publicKey,
          ]),
        KeyringError,
      );
    }
  });

  it('is not signed when its own reader would refuse it', () => {
    const { claimed } = readStatement('keyring', envelope);
    assert.throws(() => signStatement('keyring', { ...claimed, seq: -1 }, [sample.root]), { code: 'malformed' });
    const extra = { ...claimed, note: 'x' };
    assert.throws(() => signStatement('keyring', extra, [sample.root]), { code: 'malformed' });
    assert.throws(() => signStatement('keyring', claimed, []), { code: 'malformed' });
  });

  it('takes no member that its schema does not know, prototypes included', () => {
    const text = JSON.stringify(readStatement('keyring', envelope).claimed);
    for (const member of ['"__proto__":{"v":1},', '"constructor":1,', '"x":0,']) {
      const payload = Buffer.from(text.replace('{', `{${member}`)).toString('base64');
      assert.throws(() => readStatement('keyring', { ...envelope, payload }), { code: 'malformed' }, member);
    }
  });
});

describe(`${CASES} hostile inputs`, () => {
  it('of readStatement end in a statement or in malformed', () => {
    const rng = seededRng(`statements ${seed}`);
    let read = 0;
    for (let round = 0; round < CASES; round += 1) {
      const source = sample.statements[randomBelow(rng, sample.statements.length)] ?? assert.fail();
      const hostile = { ...source, payload: mangled(source.payload, rng) };
      if (outcome(() => readStatement('keyring', hostile)) === 'read') read += 1;
    }
    assert.ok(read > CASES / 1_000 && read < 0.99 * CASES, `${read} were still well-formed`);
  });

  it('of parseEnvelope end in an envelope or in malformed', () => {
    const rng = seededRng(`envelopes ${seed}`);
    let read = 0;
    for (let round = 0; round < CASES; round += 1) {
      if (outcome(() => parseEnvelope(hostileEnvelope(envelope, rng))) === 'read') read += 1;
    }
    assert.ok(read > CASES / 1_000 && read < 0.99 * CASES, `${read} were still well-formed`);
  });
});

function outcome(run: () => unknown): string {
  try {
    run();
    return 'read';
  } catch (error) {
    assert.ok(error instanceof KeyringError && error.code === 'malformed');
    return error.code;
  }
}

/** A payload with bytes flipped, cut, doubled or replaced, in base64 that is mostly sound. */
function mangled(payload: string, rng: Rng): string {
  const bytes = Buffer.from(payload, 'base64');
  const at = randomBelow(rng, bytes.length);
  const way = randomBelow(rng, 6);
  if (way === 0) return bytes.subarray(0, at).toString('base64');
  if (way === 1) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(0, 40)]).toString('base64');
  if (way === 2) return Buffer.from(rng.bytes(randomBelow(rng, 64))).toString('base64');
  if (way === 3) return payload.slice(0, at) + String.fromCharCode(randomBelow(rng, 300)) + payload.slice(at);
  bytes.writeUInt8(way === 4 ? randomBelow(rng, 256) : bytes.readUInt8(at) ^ 1, at);
  return bytes.toString('base64');
}

function hostileEnvelope(source: Envelope, rng: Rng): unknown {
  const values: readonly unknown[] = [null, 0, '', 'x', [], {}, '='.repeat(88), source.payload, source.signatures];
  const value = values[randomBelow(rng, values.length)];
  const signature = source.signatures[0] ?? assert.fail();
  switch (randomBelow(rng, 6)) {
    case 0:
      return { ...source, [['payload', 'payloadType', 'signatures', 'other'][randomBelow(rng, 4)] ?? '']: value };
    case 1:
      return { ...source, signatures: [{ ...signature, [randomBelow(rng, 2) === 0 ? 'sig' : 'keyid']: value }] };
    case 2:
      return { ...source, signatures: Array.from({ length: randomBelow(rng, 12) }, () => signature) };
    case 3:
      return { ...source, payload: 'A'.repeat(4 * randomBelow(rng, 4000)) };
    case 4:
      return { ...source, payload: mangled(source.payload, rng) };
    default:
      return value;
  }
}
