import { givenRoles } from '../account/given-roles.ts';
import type { Command } from '../command.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '--role ROLE…',
  summary: 'invite somebody to sign in at the control plane; prints the address that lets one browser in',
  options: { role: { type: 'string', multiple: true } },
  words: [0, 0],
  async run(context, _, flags) {
    const roles = givenRoles(flags, `ringfence member invite ${this.usage}`);
    const { invited, address } = await withSession(context, async ({ controlPlane, profile }) => {
      const invited = await controlPlane.inviteMember({ roles });
      // Behind the #, so that no server and no proxy is sent it.
      const address = new URL(`/account#invitation=${invited.secret}`, profile.controlPlane.url);
      return { invited, address: address.href };
    });
    context.terminal.value({ ...invited, address });
    context.terminal.line(`${address}\n`);
    context.terminal.line(
      `opens once, until ${momentText(invited.expires)}; sign-in name ${invited.signInName}, member ${invited.member}`,
    );
  },
};
