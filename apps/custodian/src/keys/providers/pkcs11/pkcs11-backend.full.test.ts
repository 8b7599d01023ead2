import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test, type TestContext } from 'node:test';
import { missing } from '../../../../../../scripts/needs.ts';
import type { KekProvider } from '../../kek-provider.ts';
import {
  opensAs,
  PLACE,
  provesRotation,
  provesWrapping,
  providerOf,
  refused,
  secretText,
  someKey,
} from '../provider-proof.fixture.ts';
import { nativeAddon } from './native-addon.ts';
import { Pkcs11Backend, type Pkcs11Key } from './pkcs11-backend.ts';
import { makeSoftToken } from './soft-token.fixture.ts';

const PIN = secretText('27182818');

const unbuilt = missing('pkcs11');

// A C++ compiler and the headers of Node are no condition of a test run: it says what it did not try.
test('where the native part is not built, the provider says how to build it', { skip: missing('softhsm') }, (t) => {
  if (unbuilt === false) return void nativeAddon();
  t.diagnostic(`PKCS#11 was not tried: ${unbuilt}`);
  assert.throws(nativeAddon, { code: 'bad-config', next: /npm rebuild pkcs11js/ });
});

suite(
  unbuilt === false ? 'a key in SoftHSM 2 through PKCS#11' : 'PKCS#11 was not tried',
  { skip: missing('softhsm') },
  () => {
    if (unbuilt !== false) return;
    const { folder, module, token, pinFile, remove } = makeSoftToken(PIN);
    after(remove);

    const open = (t: TestContext, given: Partial<Pkcs11Key> = {}): KekProvider =>
      providerOf(
        t,
        new Pkcs11Backend({
          module,
          token,
          key: 'kek',
          create: true,
          addon: nativeAddon(),
          pinFile,
          mayDestroy: true,
          ...given,
        }),
      );

    test('wraps, rotates and destroys, each in the token', async (t) => {
      const provider = open(t, { key: 'one' });
      const first = await provesWrapping(provider);
      const { older, newer } = await provesRotation(provider);
      assert.equal(older.keyVersion, first.keyVersion);
      assert.deepEqual(await provider.destroy(older.keyVersion), { state: 'destroyed' });
      assert.deepEqual(await provider.destroy(older.keyVersion), { state: 'destroyed' }, 'again');
      await refused('kek-destroyed', () => provider.unwrap(older, PLACE));
      await provider.unwrap(newer, PLACE);
      await provider.destroy(newer.keyVersion);
      await refused('kek-destroyed', () => provider.unwrap(newer, PLACE));
      // A number is never used for a second key.
      assert.notEqual((await provider.wrap(someKey(), PLACE)).keyVersion, older.keyVersion);
    });

    test('the key is there after a restart, for every thread that may log in, and for none of another name', async (t) => {
      const key = someKey();
      const first = open(t, { key: 'two' });
      const wrapped = await first.wrap(key, PLACE);
      const second = open(t, { key: 'two', create: false });
      await Promise.all(Array.from({ length: 20 }, () => opensAs(second, wrapped, key)));
      await first.close();
      await opensAs(second, wrapped, key);
      await second.close();
      await opensAs(open(t, { key: 'two' }), wrapped, key);
      const other = open(t, { key: 'three', create: false });
      await refused('kek-destroyed', () => other.unwrap(wrapped, PLACE));
      await refused('kek-destroyed', () => other.wrap(key, PLACE));
      assert.deepEqual(await other.health(), { usable: false, code: 'kek-destroyed' });
    });

    test('a key that can be taken out of the token is not used', async (t) => {
      const made = spawnSync(process.execPath, ['--input-type=commonjs', '--eval', WEAK], {
        env: { ...process.env, ADDON: nativeAddon(), MODULE: module, PIN },
      });
      assert.equal(made.status, 0, made.stderr.toString());
      await refused('kek-denied', () => open(t, { key: 'weak' }).wrap(someKey(), PLACE));
    });

    test('leaves destruction to the owner unless it may destroy', async (t) => {
      const provider = open(t, { key: 'four', mayDestroy: false });
      const key = someKey();
      const wrapped = await provider.wrap(key, PLACE);
      assert.deepEqual(await provider.destroy(wrapped.keyVersion), { state: 'left-to-owner' });
      await opensAs(provider, wrapped, key);
    });

    test('a token that is not there is unavailable, and a library that is none', async (t) => {
      await refused('kek-unavailable', () => open(t, { token: 'gone' }).wrap(someKey(), PLACE));
      await refused('kek-unavailable', () => open(t, { module: '/nonexistent.so' }).wrap(someKey(), PLACE));
    });

    // The library counts a login for the whole process, so nobody may be logged in: the last test.
    test('a PIN that the token refused is not shown to it again until the file says another', async (t) => {
      const wrong = join(folder, 'wrong-pin');
      writeFileSync(wrong, '000000', { mode: 0o600 });
      const backend = new Pkcs11Backend({
        module,
        token,
        key: 'two',
        create: false,
        addon: nativeAddon(),
        pinFile: wrong,
        mayDestroy: false,
      });
      const provider = providerOf(t, backend);
      const causes: unknown[] = [];
      for (let shown = 0; shown < 2; shown += 1)
        await provider
          .wrap(someKey(), PLACE)
          .catch((error: Error) => causes.push((error.cause as Error | undefined)?.message));
      assert.deepEqual(causes, ['CKR_PIN_INCORRECT', undefined], 'the token was asked once');
      await refused('kek-denied', () => provider.wrap(someKey(), PLACE));
      writeFileSync(wrong, PIN, { mode: 0o600 });
      await provider.wrap(someKey(), PLACE);
    });

    test('a PIN file that others may read is not used', async (t) => {
      const open644 = join(folder, 'open-pin');
      writeFileSync(open644, PIN, { mode: 0o644 });
      await refused('kek-denied', () => open(t, { pinFile: open644 }).wrap(someKey(), PLACE));
    });
  },
);

/** Makes an extractable key, as a careless administrator may. */
const WEAK = `
const p = require(process.env.ADDON);
const lib = new p.PKCS11();
lib.load(process.env.MODULE);
lib.C_Initialize();
const slot = lib.C_GetSlotList(true).find((each) => lib.C_GetTokenInfo(each).label.trim() === 'acme');
const session = lib.C_OpenSession(slot, p.CKF_SERIAL_SESSION | p.CKF_RW_SESSION);
lib.C_Login(session, p.CKU_USER, process.env.PIN);
lib.C_GenerateKey(session, { mechanism: p.CKM_AES_KEY_GEN }, [
  { type: p.CKA_CLASS, value: p.CKO_SECRET_KEY }, { type: p.CKA_TOKEN, value: true }, { type: p.CKA_PRIVATE, value: true },
  { type: p.CKA_SENSITIVE, value: true }, { type: p.CKA_EXTRACTABLE, value: true }, { type: p.CKA_ENCRYPT, value: true },
  { type: p.CKA_DECRYPT, value: true }, { type: p.CKA_LABEL, value: 'weak' }, { type: p.CKA_ID, value: Buffer.from([1]) },
  { type: p.CKA_VALUE_LEN, value: 32 },
]);
`;
