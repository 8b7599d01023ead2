// The papers that these commands write are those that the keyring takes: for a new machine, and for the same one once they end.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock, systemRng } from '@ringfence/base';
import type { Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import { readStatement } from '@ringfence/keyring';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import { temporaryFolder } from '../cli-process.fixture.ts';
import type { Command, CommandContext, Flags } from '../command.ts';
import { command as admit } from '../commands/admitter-admit.ts';
import { command as admitterInit } from '../commands/admitter-init.ts';
import { command as certify } from '../commands/provider-certify.ts';
import { command as providerInit } from '../commands/provider-init.ts';

test('a machine is certified, joins, and is certified again with the same keys at the same place', async (t) => {
  const folder = temporaryFolder(t);
  const sample = new SampleOrganisation('papers by command');
  const clock = new ManualClock(sample.now);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('passphrase'), 'five random words for a test');
  const run = async (command: Command, flags: Flags): Promise<Record<string, string>> => {
    let said: object = {};
    const terminal = { json: true, value: (value: object) => void (said = value), line: () => {}, note: () => {} };
    const context = { terminal, clock, rng: systemRng } as unknown as CommandContext;
    await command.run(context, [], { 'passphrase-file': at('passphrase'), ...flags });
    return { ...said };
  };
  const statement = (name: string) => JSON.parse(readFileSync(at(name), 'utf8')) as Envelope;
  const tier = 'secure-cloud';
  const admitter = await run(admitterInit, { 'key-file': at('admitter.key') });
  const provider = await run(providerInit, { 'key-file': at('authority.key'), tier });
  const named = { provider: provider['provider'], authority: provider['key'], tier, jurisdiction: ['US'] };
  await run(admit, { ...named, 'key-file': at('admitter.key'), out: at('admission.json') });

  sample.add({ kind: 'add-admitter', key: admitter['key'] as SigningPublicKey, tier });
  const keys = { sign: sample.key().publicKey, tls: sample.tls(), seal: sample.seal() };
  writeFileSync(at('keys.json'), JSON.stringify(keys));
  const signing = { admission: at('admission.json'), 'key-file': at('authority.key') };
  const first = { ...signing, keys: at('keys.json'), jurisdiction: ['DE'], out: at('machine.json') };
  const { agent, site } = await run(certify, { ...first, valid: '10d' });
  const machine = readStatement('machine', statement('machine.json')).claimed;
  assert.deepEqual([machine.agent, machine.site], [agent, site]);
  const papers = (name: string) => ({ admission: statement('admission.json'), machine: statement(name) });
  const places = { jurisdictions: ['DE', 'US'], allowProcess: false };
  const member = { kind: 'add-agent', agent: machine.agent, site: machine.site, tier, ...keys, ...places } as const;
  sample.add({ ...member, admitted: papers('machine.json') });

  await run(certify, { ...signing, renews: at('machine.json'), valid: '20d', out: at('renewed.json') });
  sample.add({ kind: 'renew-admission', agent: machine.agent, admitted: papers('renewed.json') });
  const { until } = sample.keyring.agent(machine.agent)?.admitted ?? assert.fail();
  assert.equal(until, readStatement('machine', statement('renewed.json')).claimed.until);
  await assert.rejects(run(certify, { ...signing, renews: at('machine.json'), keys: at('keys.json') }), {
    code: 'usage',
  });
});
