import { fingerprintWords } from '@ringfence/crypto/sign';
import type { Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { withSession } from '../session.ts';
import { table } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'the devices in the keyring, with their roles and the fingerprints of their keys',
  options: {},
  words: [0, 0],
  async run(context) {
    const devices = await withSession(context, async (session) => {
      const keyring = await checkedKeyring(context, session);
      return keyring.devices().map(({ id: device, sign }) => ({
        device,
        own: device === session.profile.device,
        officer: keyring.isOfficer(device),
        roles: keyring.rolesOf(device).map(({ role }) => role),
        fingerprint: fingerprintWords(sign),
      }));
    });
    context.terminal.value({ devices });
    const cells = devices.map((row) => [
      `${row.device}${row.own ? ' (this one)' : ''}`,
      [...row.roles, ...(row.officer ? ['officer'] : [])].join(' '),
      row.fingerprint,
    ]);
    context.terminal.line(table(['DEVICE', 'ROLES', 'FINGERPRINT'], cells));
  },
};
