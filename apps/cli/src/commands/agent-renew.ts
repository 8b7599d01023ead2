import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { runSibling } from '../home/sibling-program.ts';
import { readStatementFile } from '../marketplace/statement-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '[NAME|ID] --admission FILE --machine FILE [--state DIR]',
  summary: 'give a provider’s server new papers for the keys that it has; on the server itself with --state',
  options: { admission: { type: 'string' }, machine: { type: 'string' }, state: { type: 'string' } },
  words: [0, 1],
  async run(context, [which], flags) {
    const [admission, machine, state] = ['admission', 'machine', 'state'].map((flag) => text(flags, flag));
    if (admission === undefined || machine === undefined)
      throw new CliError('usage', '--admission or --machine is missing', {
        next: `ringfence agent renew ${this.usage}`,
      });
    if (state !== undefined) {
      const args = ['renew', '--state', state, '--admission', admission, '--machine', machine];
      if ((await runSibling('agent', args)) !== 0)
        throw new CliError('check-failed', 'the papers were not taken', { next: 'its words are above' });
      return;
    }
    const admitted = {
      admission: readStatementFile('admission', admission).envelope,
      machine: readStatementFile('machine', machine).envelope,
    };
    // The papers say which; who names one besides is held to it.
    const { agent } = readStatementFile('machine', machine).claimed;
    await withSession(context, async ({ custodian }) => {
      const named = (await custodian.agents()).find(
        ({ agent: id, name, removed }) => !removed && (id === (which ?? agent) || name === which),
      );
      if (named?.agent !== agent)
        throw new CliError('not-found', 'the papers are about no such server', { next: 'see `ringfence agent ls`' });
      await custodian.renewAdmission(agent, { admitted });
    });
    context.terminal.value({ renewed: agent });
    context.terminal.line(`renewed ${which ?? agent}; \`ringfence agent ls\` says until when`);
  },
};
