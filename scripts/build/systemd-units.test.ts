import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { need } from '../needs.ts';

const UNITS = join(import.meta.dirname, '../../packaging/systemd');
const units = readdirSync(UNITS).filter((name) => name.endsWith('.service'));

test('each role has a unit that systemd reads without a complaint but that the program is not installed', (t) => {
  if (!need(t, 'systemd')) return;
  assert.deepEqual(
    units.toSorted(),
    ['agent', 'control-plane', 'custodian', 'relay'].map((role) => `ringfence-${role}.service`),
  );
  for (const unit of units) {
    const { stderr } = spawnSync('systemd-analyze', ['verify', join(UNITS, unit)], { encoding: 'utf8' });
    const complaints = stderr
      .split('\n')
      .filter((line) => line.includes('ringfence') && !/is not executable/.test(line));
    assert.deepEqual(complaints, [], unit);
  }
});

test('no unit of a role that needs no rights has any, and no secret stands in one', () => {
  for (const unit of units) {
    const text = readFileSync(join(UNITS, unit), 'utf8');
    assert.doesNotMatch(text, /passphrase|PASSWORD|:\/\/[^/\s]*@/);
    if (unit === 'ringfence-agent.service') continue;
    for (const line of [
      'NoNewPrivileges=yes',
      'CapabilityBoundingSet=',
      'ProtectSystem=strict',
      'StateDirectoryMode=0700',
    ])
      assert.ok(text.split('\n').includes(line), `${unit}: ${line}`);
  }
});
