import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { inspect } from 'node:util';
import { Secret, systemRng, type OrgId, type ProjectId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { KekErrorCode } from '../../custodian-error.ts';
import type { KekAad, KekProvider, WrappedKek } from '../kek-provider.ts';
import { budgetedProvider, type KekBudget } from './budgeted-provider.ts';
import type { KekBackend } from './kek-backend.ts';

/** A place that a key is wrapped for. */
export const PLACE: KekAad = {
  org: 'org_aaaaaaaaaaaaaaaaaaaaaaaaaa' as OrgId,
  project: 'prj_bbbbbbbbbbbbbbbbbbbbbbbbbb' as ProjectId,
  object: 'kek-of-project',
  version: 1,
};

/** `backend` with a budget that a busy machine keeps too; it is closed when the test ends. */
export function providerOf(t: TestContext, backend: KekBackend, budget: Partial<KekBudget> = {}): KekProvider {
  const provider = budgetedProvider(
    backend,
    { within: 60_000, keepFor: 0, ...budget },
    { clock: systemClock, rng: systemRng },
  );
  t.after(() => provider.close());
  return provider;
}

/** A key of 32 bytes, which no error may say either. */
export function someKey(): Secret {
  const bytes = Buffer.from(systemRng.bytes(32));
  for (const form of ['base64', 'base64url', 'hex'] as const) hidden.add(bytes.toString(form).replace(/=+$/, ''));
  return new Secret(bytes);
}

/** What no error may say, with its causes: PINs, tokens, keys of accounts. */
const hidden = new Set<string>();

/** `text` as given, which no error may say from now on. */
export function secretText(text: string): string {
  hidden.add(text.trim());
  return text;
}

/** `run` fails with `code`, and neither the error nor what caused it says a secret. */
export async function refused(code: KekErrorCode, run: () => Promise<unknown>): Promise<void> {
  await assert.rejects(run, (error: { code: unknown }) => {
    assert.equal(error.code, code);
    const said = inspect(error, { depth: 12, showHidden: true, maxStringLength: Infinity });
    for (const text of hidden) assert.ok(!said.includes(text), 'a secret in an error');
    return true;
  });
}

/** `wrapped` opens as `key`. */
export async function opensAs(provider: KekProvider, wrapped: WrappedKek, key: Secret): Promise<void> {
  const again = await provider.unwrap(wrapped, PLACE);
  assert.deepEqual(Buffer.from(again.expose()), Buffer.from(key.expose()));
}

/** What every provider has to do: a key comes back for its place and version alone, whole, and nothing else does. */
export async function provesWrapping(provider: KekProvider): Promise<WrappedKek> {
  const key = someKey();
  const wrapped = await provider.wrap(key, PLACE);
  await opensAs(provider, wrapped, key);
  assert.ok(!Buffer.from(wrapped.wrapped).includes(Buffer.from(key.expose())), 'wrapped');
  assert.match(wrapped.keyVersion, /^[\w.:/-]{1,128}$/);
  const again = await provider.wrap(key, PLACE);
  assert.notDeepEqual(Buffer.from(again.wrapped), Buffer.from(wrapped.wrapped), 'no two boxes are alike');

  const others: KekAad[] = [
    { ...PLACE, org: 'org_cccccccccccccccccccccccccc' as OrgId },
    { ...PLACE, project: 'prj_cccccccccccccccccccccccccc' as ProjectId },
    { ...PLACE, object: 'another' },
    { ...PLACE, version: 2 },
  ];
  for (const place of others) await refused('kek-tampered', () => provider.unwrap(wrapped, place));
  for (const at of [0, Math.floor(wrapped.wrapped.length / 2), wrapped.wrapped.length - 1]) {
    const bent = Uint8Array.from(wrapped.wrapped);
    bent[at] = (bent[at] ?? 0) ^ 1;
    await refused('kek-tampered', () => provider.unwrap({ ...wrapped, wrapped: bent }, PLACE));
  }
  await refused('kek-tampered', () => provider.unwrap({ ...wrapped, wrapped: wrapped.wrapped.slice(0, 20) }, PLACE));
  await refused('kek-tampered', () => provider.unwrap({ ...wrapped, keyVersion: '../v1' }, PLACE));
  await opensAs(provider, wrapped, key);
  return wrapped;
}

/** A new version is current, an older one still opens, and neither's boxes open as the other's. */
export async function provesRotation(provider: KekProvider): Promise<{ older: WrappedKek; newer: WrappedKek }> {
  const key = someKey();
  const older = await provider.wrap(key, PLACE);
  const { keyVersion } = await provider.rotate();
  assert.notEqual(keyVersion, older.keyVersion);
  const newer = await provider.wrap(key, PLACE);
  assert.equal(newer.keyVersion, keyVersion);
  await opensAs(provider, older, key);
  await opensAs(provider, newer, key);
  await refused('kek-tampered', () => provider.unwrap({ ...older, keyVersion }, PLACE));
  await refused('kek-tampered', () => provider.unwrap({ ...newer, keyVersion: older.keyVersion }, PLACE));
  assert.deepEqual(await provider.health(), { usable: true, keyVersion });
  return { older, newer };
}
