import { fingerprintWords } from '@ringfence/crypto/sign';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { readWelcome } from '../home/device-papers.ts';
import { hasProfile, readDeviceKeys, writeProfile } from '../home/profile.ts';

export const command: Command = {
  usage: 'FILE --words WORDS',
  summary: 'make this device one of the organisation whose officer added it',
  options: { words: { type: 'string' } },
  words: [1, 1],
  async run({ home, terminal }, [file = ''], flags) {
    const words = text(flags, 'words');
    if (words === undefined)
      throw new CliError('usage', '--words is missing: the words of the organisation’s root', {
        next: 'ask the officer for them (`ringfence keyring ls` prints them), over a way that is not the file’s',
      });
    if (hasProfile(home))
      throw new CliError('profile-exists', `${home} already holds a profile`, {
        next: 'point RINGFENCE_HOME to another folder for another organisation',
      });
    readDeviceKeys(home);
    const profile = readWelcome(file, words);
    writeProfile(home, profile);
    terminal.value({ org: profile.org, device: profile.device, root: fingerprintWords(profile.orgRoot) });
    terminal.line(`This device is ${profile.device} of ${profile.name} (${profile.org}).`);
  },
};
