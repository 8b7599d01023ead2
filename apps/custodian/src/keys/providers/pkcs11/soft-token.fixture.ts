import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A token of SoftHSM 2 in a folder of its own. */
export interface SoftToken {
  readonly folder: string;
  readonly module: string;
  readonly token: string;
  readonly pinFile: string;
  readonly remove: () => void;
}

/** Makes one, for this process: the library reads its configuration where it is loaded. */
export function makeSoftToken(pin: string): SoftToken {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-hsm-'));
  mkdirSync(join(folder, 'tokens'));
  const configuration = join(folder, 'softhsm2.conf');
  writeFileSync(configuration, `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`);
  process.env['SOFTHSM2_CONF'] = configuration;
  const token = 'acme';
  const made = spawnSync('softhsm2-util', ['--init-token', '--free', '--label', token, '--so-pin', pin, '--pin', pin]);
  assert.equal(made.status, 0, made.stderr.toString());
  writeFileSync(join(folder, 'pin'), `${pin}\n`, { mode: 0o600 });
  return {
    folder,
    module: '/usr/lib/softhsm/libsofthsm2.so',
    token,
    pinFile: join(folder, 'pin'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
