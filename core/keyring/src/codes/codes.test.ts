import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { canonicalJson, newId, randomBelow, seededRng, toBase64Url } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { parseDigest, SigningKey } from '@ringfence/crypto/sign';
import { KeyringError } from '../keyring-error.ts';
import { writeCode } from './code-text.ts';
import {
  makeClaimCode,
  makeJoinCode,
  makeRegistrationCode,
  parseClaimCode,
  parseJoinCode,
  parseRegistrationCode,
} from './codes.ts';
import type { OneTimeCode } from './one-time-code.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;
const BODIES = 0.3 * CASES;

const seed = Number(process.env['FUZZ_SEED'] ?? 20_270_117);
console.log(`seed ${seed} (FUZZ_SEED)`);
Error.stackTraceLimit = 0;
const rng = seededRng('codes');
const id = newId('joinCode', rng);
const root = SigningKey.generate(rng).publicKey;
const tls = SigningKey.generate(rng).publicKey as unknown as TlsPublicKey;
const caPin = parseDigest('ab'.repeat(32)) ?? assert.fail();
const controlPlane = { id: newId('controlPlane', rng), url: 'https://control.example:8443', root, caPin };
const custodian = {
  id: newId('custodian', rng),
  tls,
  relay: { url: 'https://relay.example', caPin: null },
  lan: '192.0.2.7:7443',
};
const join = makeJoinCode(id, { controlPlane, orgRoot: root, custodian }, rng);
const claim = makeClaimCode(id, { custodian: { ...custodian, relay: null, lan: null } }, rng);
const registration = makeRegistrationCode(id, { controlPlane: { ...controlPlane, caPin: null } }, rng);
const textOf = (code: OneTimeCode<object>): string => Buffer.from(code.text().expose()).toString();
const PARSERS = [parseJoinCode, parseClaimCode, parseRegistrationCode];
const CODES = [join, claim, registration];

describe('a code', () => {
  it('reads back as it was made, with or without the line breaks of a terminal', () => {
    for (const [at, code] of CODES.entries()) {
      const text = textOf(code);
      for (const spelling of [text, `  ${text}\n`, text.replaceAll(/(.{79})/g, '$1\r\n')]) {
        const back = PARSERS[at]?.(spelling) ?? assert.fail();
        assert.deepEqual([back.kind, back.id, back.route], [code.kind, code.id, code.route]);
        assert.deepEqual(Buffer.from(back.secret.expose()), Buffer.from(code.secret.expose()));
      }
    }
  });

  it('begins with its kind and fits where it has to go', () => {
    assert.deepEqual(
      CODES.map((code) => textOf(code).slice(0, 5)),
      ['rfj1.', 'rfc1.', 'rfr1.'],
    );
    assert.ok(textOf(join).length < 1200 && textOf(registration).length < 2048);
  });

  it('has a fresh 128-bit secret', () => {
    const again = makeJoinCode(id, join.route, rng);
    assert.equal(again.secret.length, 16);
    assert.notDeepEqual(Buffer.from(again.secret.expose()), Buffer.from(join.secret.expose()));
  });

  it('shows its secret to no log, in no form', () => {
    for (const code of CODES) {
      const [, body] = textOf(code).split('.');
      const secrets = [
        body ?? assert.fail(),
        toBase64Url(code.secret.expose()),
        Buffer.from(code.secret.expose()).toString('hex'),
      ];
      const shown = [
        String(code),
        JSON.stringify({ code }),
        inspect(code),
        inspect({ deep: [code] }),
        inspect(code, { showHidden: true, customInspect: false, depth: 9 }),
      ];
      for (const text of shown) {
        for (const secret of secrets) assert.ok(!text.includes(secret), text);
      }
    }
  });

  it('is refused as another kind, and the refusal says which it is', () => {
    assert.throws(() => parseJoinCode(textOf(claim)), { code: 'bad-code', message: 'the join code is a claim code' });
    assert.throws(() => parseClaimCode(textOf(registration)), { message: 'the claim code is a registration code' });
    assert.throws(() => parseRegistrationCode('hello'), { message: 'the registration code does not begin with rfr1.' });
  });

  it('is refused for what is wrong with it, in words that repeat nothing', () => {
    const text = textOf(join);
    const cases: [string, string][] = [
      [text.slice(0, 300), 'is cut off'],
      [text.slice(0, -1), 'does not match its check letters'],
      [`${text}.x`, 'is cut off'],
      [text.replace('rfj1.e', 'rfj1.f'), 'does not match its check letters'],
      ['rfj1.'.padEnd(5000, 'a'), 'is too long'],
      [' '.repeat(10_000), 'is too long'],
      [writeCode('join', { v: 2 }), 'lacks something, or is of another version'],
    ];
    for (const [given, problem] of cases) {
      assert.throws(() => parseJoinCode(given), { code: 'bad-code', message: `the join code ${problem}` });
    }
  });

  it('has one spelling: canonical JSON under the check that the protocol describes', () => {
    const fields = { v: 1, id, secret: toBase64Url(rng.bytes(16)), route: registration.route };
    const spelt = (json: string): string => {
      const head = `rfr1.${Buffer.from(json).toString('base64url')}`;
      const check = createHash('sha256').update(`ringfence/code/v1\0${head}`).digest().subarray(0, 6);
      return `${head}.${check.toString('base64url')}`;
    };
    assert.equal(parseRegistrationCode(spelt(canonicalJson(fields))).id, id);
    for (const json of [
      JSON.stringify(fields),
      `${canonicalJson(fields)} `,
      canonicalJson(fields).replace('{', '{"v":1,'),
    ]) {
      assert.throws(() => parseRegistrationCode(spelt(json)), { message: 'the registration code does not read' });
    }
  });

  it('holds exactly the fields of its kind', () => {
    const fields = { v: 1, id, secret: toBase64Url(rng.bytes(16)), route: join.route };
    const refused: unknown[] = [
      { ...fields, extra: 1 },
      { ...fields, secret: toBase64Url(rng.bytes(15)) },
      { ...fields, secret: undefined },
      { ...fields, route: { ...join.route, custodian: { ...custodian, extra: 1 } } },
      { ...fields, route: { ...join.route, controlPlane: { ...controlPlane, url: 'http://control.example' } } },
      { ...fields, route: { ...join.route, orgRoot: undefined } },
      { ...fields, id: newId('job', rng) },
    ];
    assert.doesNotThrow(() => parseJoinCode(writeCode('join', fields)));
    for (const value of refused) {
      assert.throws(() => parseJoinCode(writeCode('join', value)), { code: 'bad-code' }, JSON.stringify(value));
    }
  });

  it(`of ${CASES} mangled texts each kind reads none but its own, and echoes none`, () => {
    const fuzz = seededRng(`codes ${seed}`);
    const texts = CODES.map(textOf);
    const letters = 'ABCabc019-_. \n=%€'.split('');
    for (let round = 0; round < CASES; round += 1) {
      const at = round % CODES.length;
      const text = texts[at] ?? assert.fail();
      const place = randomBelow(fuzz, text.length);
      const letter = letters[randomBelow(fuzz, letters.length)] ?? '';
      const cut = randomBelow(fuzz, 3);
      const mangled = text.slice(0, place) + letter + text.slice(place + cut);
      const same = mangled.replaceAll(/\s/g, '') === text;
      try {
        PARSERS[at]?.(mangled);
        assert.ok(same, `round ${round}`);
      } catch (error) {
        assert.ok(error instanceof KeyringError && error.code === 'bad-code' && !same, `round ${round}`);
        assert.ok(error.message.length < 100);
      }
    }
  });

  it(`of ${BODIES} well-checked bodies each is read whole or refused`, () => {
    const fuzz = seededRng(`bodies ${seed}`);
    const values: readonly unknown[] = [null, 0, 1, -1, '', 'x', [], {}, true, id, root, custodian, controlPlane];
    const base = { v: 1, id, secret: toBase64Url(rng.bytes(16)), route: join.route };
    const keys = ['v', 'id', 'secret', 'route', '__proto__', 'x'];
    let read = 0;
    for (let round = 0; round < BODIES; round += 1) {
      const key = keys[randomBelow(fuzz, keys.length)] ?? 'x';
      const value = values[randomBelow(fuzz, values.length)];
      const route = {
        ...join.route,
        [['controlPlane', 'orgRoot', 'custodian', 'x'][randomBelow(fuzz, 4)] ?? 'x']: value,
      };
      const fields = randomBelow(fuzz, 2) === 0 ? { ...base, [key]: value } : { ...base, route };
      try {
        const code = parseJoinCode(writeCode('join', fields));
        assert.equal(code.secret.length, 16);
        read += 1;
      } catch (error) {
        assert.ok(error instanceof KeyringError && error.code === 'bad-code');
      }
    }
    assert.ok(read > BODIES / 1_000 && read < BODIES / 2, `${read} were read`);
  });
});
