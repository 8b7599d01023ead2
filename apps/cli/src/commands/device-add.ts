import { basename } from 'node:path';
import { newId } from '@ringfence/base';
import { fingerprintWords, type SigningPublicKey } from '@ringfence/crypto/sign';
import { KEYRING_ROLES, type KeyringChange } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { readDeviceRequest, welcomeOf } from '../home/device-papers.ts';
import { appendChange, ROOT_FLAGS, withSigner } from '../marketplace/change-keyring.ts';
import { writeNewFile } from '../new-file.ts';

export const command: Command = {
  usage: 'FILE --words WORDS --out FILE [--role ROLE]… [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'add a device to the keyring with its roles, and write the file that lets it in (officers)',
  options: {
    words: { type: 'string' },
    out: { type: 'string' },
    role: { type: 'string', multiple: true },
    ...ROOT_FLAGS,
  },
  words: [1, 1],
  async run(context, [file = ''], flags) {
    const [words, out] = [text(flags, 'words'), text(flags, 'out')];
    const roles = z.enum(KEYRING_ROLES).array().safeParse(texts(flags, 'role'));
    if (!roles.success)
      throw new CliError('usage', 'there is no such role', { next: `roles are ${KEYRING_ROLES.join(', ')}` });
    if (words === undefined || out === undefined)
      throw new CliError('usage', 'a device is added by its file, its words and the roles that it gets', {
        next: `ringfence device add ${this.usage}; roles are ${KEYRING_ROLES.join(', ')}`,
      });
    const { sign, tls } = readDeviceRequest(file, words);
    const device = newId('device', context.rng);
    const root = await withSigner(context, flags, async ({ session, keyring, key }) => {
      writeNewFile(out, `${JSON.stringify(welcomeOf(session.profile, device))}\n`);
      const changes: KeyringChange[] = [
        { kind: 'add-device', device, sign, tls },
        ...roles.data.map((role): KeyringChange => ({ kind: 'bind-role', device, role })),
      ];
      let now = keyring;
      for (const change of changes) {
        await appendChange(context, { session, keyring: now, key }, change);
        now = await checkedKeyring(context, session);
      }
      return session.profile.orgRoot;
    });
    context.terminal.value({ device, roles: roles.data, file: out });
    context.terminal.line(`added ${device} (${roles.data.join(', ') || 'no role'}); ${out} lets it in`);
    context.terminal.line(stepThere(out, root));
  },
};

/** What is run on the device that was added. */
export function stepThere(file: string, root: SigningPublicKey): string {
  return `there: ringfence device accept ${basename(file)} --words "${fingerprintWords(root)}" (the root’s words; tell them over a way that is not the file’s)`;
}
