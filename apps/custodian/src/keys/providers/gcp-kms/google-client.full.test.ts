import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { canonicalBytes } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { opensAs, PLACE, providerOf, someKey } from '../provider-proof.fixture.ts';
import { GcpKmsBackend } from './gcp-kms-backend.ts';
import { KEY, startGcpKmsServer } from './gcp-kms-server.fixture.ts';
import type { GoogleClientOrder, GoogleClientResult } from './google-client.fixture.ts';

test('Google’s own client reads what was wrapped, and what it wraps is unwrapped', async (t) => {
  const server = await startGcpKmsServer(t);
  const { credentialsFile, caFile, url: endpoint, port } = server;
  const provider = providerOf(
    t,
    new GcpKmsBackend(
      { key: KEY, credentialsFile, endpoint, caFile, proxy: undefined, mayDestroy: false },
      systemClock,
    ),
  );
  const key = someKey();
  const ours = await provider.wrap(key, PLACE);
  const plaintext = Buffer.from(key.expose()).toString('base64');
  const order: GoogleClientOrder = {
    port,
    credentialsFile,
    version: `${KEY}/cryptoKeyVersions/${ours.keyVersion}`,
    aad: Buffer.from(canonicalBytes({ ...PLACE, keyVersion: ours.keyVersion })).toString('base64'),
    plaintext,
    ciphertext: Buffer.from(ours.wrapped).toString('base64'),
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'google-client.fixture.ts')], {
    env: { PATH: process.env['PATH'], HOME: server.folder, NODE_EXTRA_CA_CERTS: caFile },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(JSON.stringify(order));
  const [output, errors, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.equal(status, 0, errors);
  const result = JSON.parse(output) as GoogleClientResult;
  assert.deepEqual([result.opened, result.primary, result.verified], [plaintext, order.version, true]);
  await opensAs(provider, { keyVersion: ours.keyVersion, wrapped: Buffer.from(result.made, 'base64') }, key);
});
