import type { Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { DEVICE_HEAD, deviceCells, deviceViews } from '../keyring/device-rows.ts';
import { withSession } from '../session.ts';
import { table } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'the devices in the keyring, with their roles and the fingerprints of their keys',
  options: {},
  words: [0, 0],
  async run(context) {
    await withSession(context, async (session) => {
      const own = session.profile.device;
      const views = deviceViews(await checkedKeyring(context, session));
      context.terminal.value({ devices: views.map((view) => ({ ...view, own: view.device === own })) });
      const cells = views.map((view) => deviceCells(view, own));
      context.terminal.line(table(DEVICE_HEAD, cells));
    });
  },
};
