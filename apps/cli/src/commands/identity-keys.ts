import { createPublicKey } from 'node:crypto';
import type { Command } from '../command.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '',
  summary: 'what tokens of jobs are checked with: issuer and keys as PEM (--json: a JSON Web Key Set)',
  options: {},
  words: [0, 0],
  async run(context) {
    const { issuer, keys } = await withSession(context, ({ custodian }) => custodian.identities.keys());
    context.terminal.value({ issuer, keys });
    const pem = keys.map((key) => createPublicKey({ key, format: 'jwk' }).export({ format: 'pem', type: 'spki' }));
    context.terminal.line([`issuer ${issuer}`, ...pem.map((text) => text.toString().trimEnd())].join('\n'));
  },
};
