import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { LOCK_PLACES, locksAt, placesOf, type PlacedLock } from '../locks/lock-places.ts';
import { lockTarget, targetText } from '../locks/lock-target.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'ROLE|ID [--project PROJECT] [--at custodian|control-plane]',
  summary: 'cut a member, role, device, agent, site or token off at once, for 24 hours unless it is confirmed',
  options: { project: { type: 'string' }, at: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const target = lockTarget(word, text(flags, 'project'));
    const where = text(flags, 'at');
    const at = LOCK_PLACES.find((place) => place === where);
    if (where !== undefined && at === undefined)
      throw new CliError('usage', '--at is custodian or control-plane', { next: `ringfence lock set ${this.usage}` });
    const locks = await withSession(context, async (session) => {
      const set: PlacedLock[] = [];
      for (const place of at === undefined ? placesOf(target) : [at])
        set.push({ ...(await locksAt(session, place).set(target)), at: place });
      return set;
    });
    context.terminal.value({ locks });
    for (const { lock, at: place, until } of locks)
      context.terminal.line(
        `${targetText(target)} is cut off at the ${place}${until === null ? '' : ` until ${momentText(until)}`}; to keep it so: ringfence lock confirm ${lock}`,
      );
  },
};
