import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import type { KeysAnswer } from '@ringfence/protocol/payload';
import { keyFindings } from './key-holders.ts';

type Provider = KeysAnswer['providers'][number];
const provider = (name: string, more: Partial<Provider>): Provider => ({
  name,
  kind: 'transit',
  chosen: false,
  keyVersion: null,
  failure: null,
  ...more,
});

test('who holds a key and does not answer is bad, who holds none is a warning', () => {
  const retiring: KeysAnswer['projectKeys'][number] = {
    version: 1,
    state: 'retiring',
    provider: 'before',
    keyVersion: '1',
    madeAt: epochMs(1),
    destroyedAt: null,
  };
  const found = keyFindings({
    providers: [
      provider('vault', { chosen: true, keyVersion: '3' }),
      provider('own', { chosen: true, failure: 'kek-slow' }),
      provider('before', { failure: 'kek-denied' }),
      provider('spare', { failure: 'kek-unavailable' }),
      provider('gone', { failure: 'kek-destroyed' }),
    ],
    projectKeys: [retiring, { ...retiring, version: 2, state: 'destroyed', provider: 'gone', destroyedAt: epochMs(2) }],
  });
  assert.deepEqual(
    found.map(({ check, verdict }) => [check, verdict]),
    [
      ['key provider vault', 'good'],
      ['key provider own', 'bad'],
      ['key provider before', 'bad'],
      ['key provider spare', 'warn'],
      ['key provider gone', 'warn'],
    ],
  );
  assert.match(found[0]?.detail ?? '', /version 3, in use/);
  assert.match(found[1]?.detail ?? '', /kek-slow/);
});
