import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@ringfence/base/platform';
import { fingerprintWords } from '@ringfence/crypto/sign';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { deviceRequest } from '../home/device-papers.ts';
import { makeDevice } from '../home/make-device.ts';
import { hasProfile, readDeviceKeys } from '../home/profile.ts';
import { writeNewFile } from '../new-file.ts';

export const command: Command = {
  usage: '--out FILE',
  summary: 'make this device’s keys, and the file by which an officer adds it to the keyring',
  options: { out: { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    const { home, terminal } = context;
    const out = text(flags, 'out');
    if (out === undefined)
      throw new CliError('usage', '--out is missing', { next: `ringfence device request ${this.usage}` });
    if (hasProfile(home))
      throw new CliError('profile-exists', `${home} already holds a profile`, {
        next: 'point RINGFENCE_HOME to another folder for another device',
      });
    makeFolder(home);
    // Asked again, the same device: an officer may hold its first request.
    const keys = existsSync(join(home, 'device-keys.json')) ? readDeviceKeys(home) : await makeDevice(context);
    writeNewFile(out, `${JSON.stringify(deviceRequest(keys))}\n`);
    const fingerprint = fingerprintWords(keys.sign.publicKey);
    terminal.value({ file: out, fingerprint });
    terminal.line(`wrote ${out}; this device’s words: ${fingerprint}`);
    terminal.line('tell them to the officer who adds it, over a way that is not the file’s');
  },
};
