// A job shows which job it is: its token verifies against the published keys alone, is renewed while the job runs, and never after.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';
import { sharedHouse } from './shared-house.ts';

interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly job: string;
  readonly attempt: number;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

const AUDIENCE = 'https://vault.example.internal';
const root = mkdtempSync(join(tmpdir(), 'ringfence-identity-'));
let house: House;

before(async () => {
  house = await sharedHouse();
  mkdirSync(join(root, 'empty'));
});

after(() => rmSync(root, { recursive: true, force: true }));

/** As a relying party reads a token, with Node's own verifier and nothing of Ringfence. */
function claimsOf(token: string, { keys }: { keys: { kid: string }[] }): Claims {
  const [head = '', body = '', signature = ''] = token.split('.');
  const part = (text: string) =>
    JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as { kid: string; alg: string };
  const { kid, alg } = part(head);
  assert.equal(alg, 'EdDSA');
  const key = keys.find((one) => one.kid === kid);
  assert.ok(key !== undefined, 'a published key has this name');
  const publicKey = createPublicKey({ key, format: 'jwk' });
  assert.ok(verify(null, Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, 'base64url')));
  return part(body) as unknown as Claims;
}

test('a job reads its token, finds another one in its place while it runs, and nothing is issued once it has ended', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  // Ends when a second token has taken the place of the first.
  const script = [
    'file=$RINGFENCE_IDENTITY/vault',
    'ls -l $file | cut -c1-10',
    'first=$(cat $file)',
    'printf %s "$first" > /out/first',
    'if (echo x > $file) 2>/dev/null; then echo WROTE; fi',
    'while [ "$(cat $file)" = "$first" ]; do sleep 0.2; done',
    'cat $file > /out/second',
  ];
  const file = join(root, 'job.yaml');
  writeFileSync(
    file,
    `name: shows-itself\nworkdir: empty\nrun: |\n${script.map((line) => `  ${line}\n`).join('')}identity: {vault: ${AUDIENCE}}\noutputs: {/out: {artifact: tokens}}\nmax_duration: 3m\n`,
  );
  const ordered = await house.cli(['launch', '-y', '--json', file]);
  assert.equal(ordered.code, 0, `${ordered.stderr}\n${ordered.stdout}`);
  assert.match(ordered.stdout, /-r--------/);
  assert.doesNotMatch(ordered.stdout, /WROTE/);
  const got = await house.cli(['artifact', 'get', 'tokens', '--out', join(root, 'tokens')]);
  assert.equal(got.code, 0, got.stderr);
  const published = await house.cli(['identity', 'keys', '--json']);
  assert.equal(published.code, 0, published.stderr);
  const keys = JSON.parse(published.stdout) as { issuer: string; keys: { kid: string }[] };
  const [first, second] = ['first', 'second'].map((name) =>
    claimsOf(readFileSync(join(root, 'tokens', name), 'utf8'), keys),
  );
  assert.ok(first !== undefined && second !== undefined);
  for (const claims of [first, second]) {
    assert.equal(claims.iss, keys.issuer);
    assert.equal(claims.aud, AUDIENCE);
    assert.ok(claims.sub.endsWith(`/job/${claims.job}/${claims.attempt}`), claims.sub);
    // Leases are of half a minute.
    assert.ok(claims.exp - claims.iat <= 30, `${claims.exp - claims.iat} s`);
  }
  assert.notEqual(first.jti, second.jti);
  assert.equal(first.sub, second.sub);
  const pem = await house.cli(['identity', 'keys']);
  assert.match(pem.stdout, /^issuer ringfence:\/\/.*\n-----BEGIN PUBLIC KEY-----/);
  const logged = await house.cli(['audit', 'ls', '--log', 'custodian', '--about', first.job, '--json']);
  assert.equal(logged.code, 0, logged.stderr);
  const newestFirst = (JSON.parse(logged.stdout) as { entries: { action: string }[] }).entries;
  const actions = newestFirst.map(({ action }) => action).toReversed();
  const committed = actions.indexOf('committed');
  assert.ok(committed > 0, actions.join());
  assert.ok(actions.slice(0, committed).filter((action) => action === 'identity-issued').length >= 2, actions.join());
  assert.ok(!actions.slice(committed).some((action) => action.startsWith('identity')), actions.join());
});
