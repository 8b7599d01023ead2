import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type * as Backend from '../../apps/custodian/src/keys/providers/pkcs11/pkcs11-backend.ts';
import { nativeAddon } from '../../apps/custodian/src/keys/providers/pkcs11/native-addon.ts';
import { makeSoftToken } from '../../apps/custodian/src/keys/providers/pkcs11/soft-token.fixture.ts';
import { PLACE, someKey } from '../../apps/custodian/src/keys/providers/provider-proof.fixture.ts';
import { missing } from '../needs.ts';
import { HOW } from './bundle.ts';

const ENTRY = resolve(import.meta.dirname, '../../apps/custodian/src/keys/providers/pkcs11/pkcs11-backend.ts');
// As beside the tests of PKCS#11: what cannot be built is no failure of a test run.
const unbuilt = missing('pkcs11');

test(
  'the thread of a token, which travels as its own source text, still runs after the bundler was over it',
  { skip: missing('softhsm') },
  async (t) => {
    if (unbuilt !== false) return t.diagnostic(`not tried: ${unbuilt}`);
    const token = makeSoftToken('31415926');
    t.after(token.remove);
    const { outputFiles } = await build({ ...HOW, entryPoints: [ENTRY] });
    const bundle = join(token.folder, 'bundle.mjs');
    writeFileSync(bundle, outputFiles[0]?.contents ?? '');
    const { Pkcs11Backend } = (await import(pathToFileURL(bundle).href)) as typeof Backend;
    const backend = new Pkcs11Backend({ ...token, key: 'kek', create: true, addon: nativeAddon(), mayDestroy: true });
    t.after(() => backend.close());
    const signal = AbortSignal.timeout(30_000);
    const key = someKey();
    const wrapped = await backend.wrap(key, PLACE, signal);
    assert.deepEqual((await backend.unwrap(wrapped, PLACE, signal)).expose(), Uint8Array.from(key.expose()));
    assert.notEqual(await backend.rotate(signal), wrapped.keyVersion);
    await assert.rejects(() => backend.unwrap(wrapped, { ...PLACE, version: 2 }, signal), { code: 'kek-tampered' });
    await backend.destroy(wrapped.keyVersion, signal);
    await assert.rejects(() => backend.unwrap(wrapped, PLACE, signal), { code: 'kek-destroyed' });
  },
);
