import { parseDuration } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { withSession } from '../session.ts';

const LONGEST_GRACE_MS = 600_000;

export const command: Command = {
  usage: 'NAME|ID [--stop 2m] [--off]',
  summary: 'give a server no new work; what runs there goes on, or ends within the time of --stop',
  options: { stop: { type: 'string' }, off: { type: 'boolean' } },
  words: [1, 1],
  async run(context, [which = ''], flags) {
    const given = text(flags, 'stop');
    const stopWithinMs = given === undefined ? undefined : parseDuration(given);
    if (given !== undefined && (stopWithinMs === undefined || stopWithinMs > LONGEST_GRACE_MS))
      throw new CliError('usage', '--stop is not a time up to 10m', { next: 'write it as 10s or 2m' });
    const drain = flags['off'] !== true;
    if (!drain && given !== undefined)
      throw new CliError('usage', '--off and --stop contradict each other', { next: 'give one of them' });
    const { agents, givenBack } = await withSession(context, async ({ custodian, controlPlane }) => {
      const found = (await custodian.agents()).find(
        ({ agent, name, removed }) => !removed && (agent === which || name === which),
      );
      if (found === undefined)
        throw new CliError('not-found', 'there is no such server', { next: 'see `ringfence agent ls`' });
      const agents = await controlPlane.drainAgent(found.agent, {
        drain,
        ...(stopWithinMs === undefined ? {} : { stopWithinMs }),
      });
      const offers = drain ? [] : await controlPlane.offers();
      return { agents, givenBack: offers.some(({ agent, cordoned }) => agent === found.agent && cordoned === true) };
    });
    context.terminal.value({ agents });
    const running = given === undefined ? 'what runs there goes on' : `what runs there is told to stop within ${given}`;
    if (givenBack)
      return context.terminal.line(
        `${which} is drained no more, but its pool gives it back: it gets work after that, see \`ringfence pool status\``,
      );
    context.terminal.line(drain ? `${which} gets no new work; ${running}` : `${which} gets work again`);
  },
};
