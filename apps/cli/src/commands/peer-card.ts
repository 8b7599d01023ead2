import { fingerprintWords } from '@ringfence/crypto/sign';
import { plainText } from '@ringfence/protocol/federation';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { writeNewFile } from '../new-file.ts';
import { cardText } from '../peers/peer-card.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '--name NAME --out FILE',
  summary: 'write what another organisation needs to name this one as its peer, and say the words to tell it',
  options: { name: { type: 'string' }, out: { type: 'string' } },
  words: [0, 0],
  async run(context, _words, flags) {
    const name = plainText(64).safeParse(text(flags, 'name'));
    const out = text(flags, 'out');
    if (!name.success || out === undefined)
      throw new CliError('usage', 'a card has a name of up to 64 characters, and goes to a file', {
        next: `ringfence peer card ${this.usage}`,
      });
    const keyring = await withSession(context, (session) => checkedKeyring(context, session));
    const { org, root } = keyring;
    writeNewFile(out, cardText({ v: 1, org, root, name: name.data }));
    const words = fingerprintWords(root);
    context.terminal.value({ file: out, org, root, words });
    context.terminal.line(`${out}: ${name.data} (${org})`);
    context.terminal.line(`tell them over a way that is not the file’s: ${words}`);
    context.terminal.line(`there: ringfence peer add ${out} --words "${words}" --root-key-file FILE`);
  },
};
