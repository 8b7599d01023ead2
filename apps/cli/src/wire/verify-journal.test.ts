import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { TlsKey } from '@ringfence/crypto/certificate';
import { runCli, temporaryFolder } from '../cli-process.fixture.ts';
import { writeProfile, type Profile } from '../home/profile.ts';
import { whyNoFrameKey } from './frame-key.ts';

const VECTORS = join(import.meta.dirname, '../../../../core/ledger/src/wire/vectors/link-v1');

test('wire verify prints head and root, and refuses a root that is not the profile’s', async (t) => {
  const state = temporaryFolder(t);
  for (const name of ['journal.jsonl', 'sessions.jsonl']) cpSync(join(VECTORS, name), join(state, name));
  const { party, root, controlPlane: id } = JSON.parse(readFileSync(join(VECTORS, 'keys.json'), 'utf8'));
  writeFileSync(join(state, 'link-keys.json'), JSON.stringify({ v: 1, controlPlane: id, root, party }));
  const verify = async (known: string | undefined) => {
    const home = temporaryFolder(t);
    if (known !== undefined)
      writeProfile(home, profileOf({ id, url: 'https://127.0.0.1:1', root: known, caPin: null }));
    return runCli(home, ['wire', 'verify', '--state', state]);
  };
  for (const known of [undefined, root]) {
    const { code, stdout, stderr } = await verify(known);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /last record 34, head 1c72195c40e9dbd8/);
    assert.match(
      stdout,
      /goal: at most 256 an attempt, 64 a minute: a hostile job meets it, a hostile agent MISSES it/,
    );
    assert.ok(stdout.includes(root));
  }
  const { code, stdout } = await verify(SigningKey.generate(systemRng).publicKey);
  assert.notEqual(code, 0);
  assert.match(stdout, /NOT VERIFIED[^]*another root/);
});

function profileOf(controlPlane: object): Profile {
  return {
    v: 1,
    name: 'acme',
    org: newId('org', systemRng),
    orgRoot: SigningKey.generate(systemRng).publicKey,
    project: newId('project', systemRng),
    device: newId('device', systemRng),
    controlPlane: controlPlane as Profile['controlPlane'],
    custodian: {
      id: newId('custodian', systemRng),
      tls: TlsKey.generate(systemRng).publicKey,
      relay: null,
      lan: '127.0.0.1:1',
    },
  };
}

test('a link’s folder alone has no seal key, and the message names the one above it', (t) => {
  const state = temporaryFolder(t);
  const folder = join(state, 'links', 'ctl');
  mkdirSync(folder, { recursive: true });
  assert.match(whyNoFrameKey(folder, join(folder, 'seal.key')), /frame key is not kept/);
  writeFileSync(join(folder, 'identity.sealed'), '');
  assert.match(whyNoFrameKey(folder, join(folder, 'seal.key')), /name the agent’s seal key with --seal-key-file/);
  writeFileSync(join(state, 'seal.key'), '');
  const named = whyNoFrameKey(folder, join(folder, 'seal.key'));
  assert.ok(named.includes(`${join(state, 'seal.key')} may be it`), named);
  assert.match(whyNoFrameKey(folder, join(state, 'seal.key')), /does not open this agent’s identity/);
});
