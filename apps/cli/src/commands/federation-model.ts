import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { modelOf } from '../federation/model-of.ts';
import { whichContract } from '../federation/which-contract.ts';
import { getArtifact } from '../job/get-artifact.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'CONTRACT --out DIR',
  summary: 'fetch the model that a federation made, and open it here',
  options: { out: { type: 'string', short: 'o' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const out = text(flags, 'out');
    if (out === undefined)
      throw new CliError('usage', 'a model needs a folder to go to', {
        next: `ringfence federation model ${this.usage}`,
      });
    await withSession(context, async (session) => {
      const found = await modelOf(session, await whichContract(session, word));
      await getArtifact(context, session, { ...found, out });
    });
  },
};
