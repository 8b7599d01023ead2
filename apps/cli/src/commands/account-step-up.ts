import { sleep } from '@ringfence/base';
import type { ControlPlaneClient } from '@ringfence/client/api';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext } from '../command.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

const LOOK_EVERY_MS = 1_000;

export const command: Command = {
  usage: '[--name SIGN-IN-NAME] [--code-file FILE] | --browser [--for DIGEST]',
  summary: 'give a factor to this device, so that the control plane is surer of it for a while',
  options: {
    name: { type: 'string' },
    'code-file': { type: 'string' },
    browser: { type: 'boolean' },
    for: { type: 'string' },
  },
  words: [0, 0],
  async run(context, _, flags) {
    const inBrowser = flags['browser'] === true;
    if (inBrowser && (flags['code-file'] !== undefined || flags['name'] !== undefined))
      throw new CliError('usage', '--browser takes no code', { next: `ringfence account step-up ${this.usage}` });
    await withSession(context, async ({ controlPlane, profile }) => {
      if (inBrowser) return askBrowser(context, { controlPlane, device: profile.device, digest: text(flags, 'for') });
      const code = await secretInput(context, flags, { flag: 'code', prompt: 'code of your authenticator' });
      const name = text(flags, 'name');
      const { level } = await controlPlane.stepUp({
        ...(name === undefined ? {} : { signInName: name }),
        factor: { kind: 'totp', code },
      });
      context.terminal.value({ level });
      context.terminal.line(`this device is at level ${level}`);
    });
  },
};

interface Asking {
  readonly controlPlane: ControlPlaneClient;
  readonly device: string;
  /** Of the one request that a passkey is to be given for. */
  readonly digest: string | undefined;
}

/** Prints the address of the page and waits until somebody has given their passkey there. */
async function askBrowser(
  { terminal, clock }: CommandContext,
  { controlPlane, device, digest }: Asking,
): Promise<void> {
  const { url, expires } = await controlPlane.stepUpInBrowser(digest);
  const begun = clock.now();
  terminal.note(`open ${url}`);
  terminal.note(`it asks for a passkey for ${device}; waiting…`);
  while (clock.now() < expires) {
    const { given, level } = await controlPlane.account();
    if (given.some(({ kind, at }) => kind === 'passkey' && at >= begun)) {
      terminal.value({ level });
      return terminal.line(`this device is at level ${level}`);
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
  throw new CliError('declined', 'nobody gave a passkey in time', { next: 'try again' });
}
