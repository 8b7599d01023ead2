// A second device, with the roles that it was given: what it may ask of custodian and control plane, and what not.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { ownEntries, runCli, type CliResult, type House } from '../../scripts/house/index.ts';
import { TOTP } from 'otpauth';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-roles-'));
const path = (name: string): string => join(root, name);
let house: House;
let rootWords = '';

before(async () => {
  house = await sharedHouse();
  mkdirSync(path('empty'));
  writeFileSync(path('job.yaml'), 'name: second\nworkdir: empty\nrun: echo ran\n');
  const { root: orgRoot } = JSON.parse((await said(house.cli(['keyring', 'ls', '--json']))).trim()) as {
    root: { fingerprint: string };
  };
  rootWords = orgRoot.fingerprint;
});
after(() => rmSync(root, { recursive: true, force: true }));

async function said(call: Promise<CliResult>): Promise<string> {
  const { code, stdout, stderr } = await call;
  assert.equal(code, 0, stderr);
  return stdout;
}

async function refused(call: Promise<CliResult>): Promise<string> {
  const { code, stderr } = await call;
  assert.notEqual(code, 0, 'was not refused');
  return stderr;
}

/** A device of a home of its own, added with these roles. */
async function addDevice(name: string, roles: readonly string[]) {
  const cli = (args: readonly string[]) => runCli({ entries: ownEntries(), home: path(name), args });
  const request = path(`${name}.request`);
  const { fingerprint } = JSON.parse(await said(cli(['device', 'request', '--out', request, '--json']))) as {
    fingerprint: string;
  };
  const add = (words: string, from = request) =>
    house.cli([
      'device',
      'add',
      from,
      '--words',
      words,
      '--out',
      path(`${name}.welcome`),
      '--json',
      ...roles.flatMap((role) => ['--role', role]),
    ]);
  return { cli, request, fingerprint, add, welcome: path(`${name}.welcome`) };
}

test('a device is added by its words, takes no other organisation, and may do what its roles permit', async () => {
  const { cli, request, fingerprint, add, welcome } = await addDevice('auditor', ['auditor']);
  assert.match(await refused(add(rootWords)), /not of the device whose words/);
  const swapped = JSON.parse(readFileSync(request, 'utf8')) as { payload: string };
  const keys = JSON.parse(Buffer.from(swapped.payload, 'base64').toString()) as { tls: string; sign: string };
  const payload = Buffer.from(JSON.stringify({ ...keys, tls: keys.sign })).toString('base64');
  writeFileSync(path('swapped'), JSON.stringify({ ...swapped, payload }));
  assert.match(await refused(add(fingerprint, path('swapped'))), /damaged or another file/);
  const { device } = JSON.parse(await said(add(fingerprint))) as { device: string };
  assert.match(await refused(cli(['device', 'accept', welcome, '--words', fingerprint])), /another organisation/);
  await said(cli(['device', 'accept', welcome, '--words', rootWords]));
  assert.match(await said(cli(['device', 'ls'])), new RegExp(`${device} \\(this one\\) +auditor`));
  await until(async () => (await cli(['ps'])).code === 0);
  const told = await refused(cli(['launch', '-y', path('job.yaml')]));
  assert.match(told, /no role of this device permits label:compute[^]*ask an owner/);
  await said(house.cli(['keyring', 'bind', device, 'ml-engineer']));
  assert.match(await said(cli(['launch', '-y', path('job.yaml')])), /^ran$/m);
  await said(house.cli(['keyring', 'unbind', device, 'ml-engineer']));
  assert.match(await said(cli(['device', 'ls'])), new RegExp(`${device} \\(this one\\) +auditor  `));
  assert.match(await refused(cli(['launch', '-y', path('job.yaml')])), /no role of this device permits label:compute/);
  assert.match(await refused(house.cli(['keyring', 'unbind', device, 'ml-engineer'])), /a role that is not bound/);
});

test('an ml-engineer launches and a data-owner adds data, each with that role alone', async () => {
  const engineer = await addDevice('engineer', ['ml-engineer']);
  await said(engineer.add(engineer.fingerprint));
  await said(engineer.cli(['device', 'accept', engineer.welcome, '--words', rootWords]));
  await until(async () => (await engineer.cli(['ps'])).code === 0);
  assert.match(await said(engineer.cli(['launch', '-y', path('job.yaml')])), /^ran$/m);
  const owner = await addDevice('data-owner', ['data-owner']);
  await said(owner.add(owner.fingerprint));
  await said(owner.cli(['device', 'accept', owner.welcome, '--words', rootWords]));
  mkdirSync(path('rows'));
  writeFileSync(path('rows/rows.csv'), 'a,b\n1,2\n');
  await said(owner.cli(['dataset', 'add', 'rows', path('rows'), '--label', 'internal']));
  assert.match(await said(owner.cli(['dataset', 'ls'])), /^rows /m);
});

test('a device without a role may ask nothing, at either process', async () => {
  const { cli, fingerprint, add, welcome } = await addDevice('nobody', []);
  await said(add(fingerprint));
  await said(cli(['device', 'accept', welcome, '--words', rootWords]));
  assert.match(await refused(cli(['device', 'ls'])), /no role of this device permits keyring:read/);
  await until(async () => /no role of this device permits/.test((await cli(['offers'])).stderr));
});

test('members are invited, listed and taken out from the command line, by those whose role permits it', async () => {
  const { cli, fingerprint, add, welcome } = await addDevice('looker', ['auditor']);
  await said(add(fingerprint));
  await said(cli(['device', 'accept', welcome, '--words', rootWords]));
  const invite = ['member', 'invite', '--role', 'read-only', '--json'];
  const { member, address } = JSON.parse(await said(house.cli(invite))) as { member: string; address: string };
  assert.match(address, /^https:\/\/[^/]+\/account#invitation=[A-Za-z0-9_-]{43}$/);
  await until(async () => (await cli(['member', 'ls'])).code === 0);
  assert.match(await said(cli(['member', 'ls'])), new RegExp(`${member} +invited +read-only +- +0`));
  assert.match(await refused(cli(invite)), /no role of this device permits member:invite/);
  assert.match(await refused(cli(['member', 'remove', member])), /no role of this device permits member:remove/);
  assert.match(await refused(house.cli(['member', 'invite', '--role', 'emperor'])), /there is no such role/);
  assert.match(await said(house.cli(['session', 'ls'])), /no browser is signed in/);
  await said(house.cli(['member', 'remove', member]));
  assert.match(await said(house.cli(['member', 'ls'])), /nobody yet/);
  assert.match(await refused(house.cli(['member', 'remove', member])), /there is no such member/);
});

test('own roles are checked, tried, compared, signed and asked', async () => {
  const file = (name: string, text: string): string => {
    writeFileSync(path(name), text);
    return path(name);
  };
  const own = file(
    'own.cedar',
    '@id("night-shift") permit (principal is Device, action in [Action::"job:stop"], resource) when { principal.roles.contains("read-only") };',
  );
  const cases = file('cases', '# who may stop\nread-only job:stop yes\nauditor job:stop no\nread-only job:exec no\n');
  assert.match(await said(house.cli(['policy', 'check', '--access', own])), /can be set/);
  const greedy = file('greedy.cedar', readFileSync(own, 'utf8').replace('job:stop', 'keyring:append'));
  assert.match(await refused(house.cli(['policy', 'check', '--access', greedy])), /owners and officers alone may/);
  assert.match(await refused(house.cli(['policy', 'test', cases])), /1 of 3 cases/);
  assert.match(await said(house.cli(['policy', 'test', cases, '--access', own])), /3 cases/);
  assert.match(await said(house.cli(['policy', 'diff', own])), /^\+ read-only job:stop: yes, by night-shift\n1 cells/m);
  assert.match(await said(house.cli(['policy', 'set', '--access', own])), /version 1/);
  assert.match(await said(house.cli(['policy', 'why', 'read-only+provider', 'job:stop'])), /yes, by night-shift/);
  assert.match(await said(house.cli(['policy', 'diff', own])), /no role may more or less/);
});

test('an officer who enrols a factor is asked for its code from then on', async () => {
  const { secret } = JSON.parse(await said(house.cli(['factor', 'add', 'totp', '--json']))) as { secret: string };
  const code = (): string => new TOTP({ secret }).generate();
  const { recoveryCodes } = JSON.parse(await said(house.cli(['factor', 'confirm', '--json'], { input: code() }))) as {
    recoveryCodes: string[];
  };
  assert.equal(recoveryCodes.length, 10);
  assert.match(await said(house.cli(['factor', 'ls'])), /officer +totp/);
  await said(house.cli(['agent', 'join-code', '--name', 'n', '--site', 's']));
  assert.match(await refused(house.cli(['step-up'], { input: '000000' })), /not good, or was used/);
  const { cli, fingerprint, add, welcome } = await addDevice('second', ['owner']);
  await said(add(fingerprint));
  await said(cli(['device', 'accept', welcome, '--words', rootWords]));
  assert.match(await refused(cli(['agent', 'join-code', '--name', 'n', '--site', 's'])), /ringfence factor add/);
  assert.match(await said(house.cli(['proposal', 'ls'])), /keyring +done/);
});
