import { jurisdiction, tier } from '@ringfence/protocol';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command } from '../command.ts';
import { withSession } from '../session.ts';
import { parseDuration } from '@ringfence/base';

export const command: Command = {
  usage: '--name NAME --site SITE [--tier private] [--jurisdiction DE]… [--valid 1h]',
  summary: 'make a one-time code that lets one server join',
  options: {
    name: { type: 'string' },
    site: { type: 'string' },
    tier: { type: 'string' },
    jurisdiction: { type: 'string', multiple: true },
    valid: { type: 'string' },
  },
  words: [0, 0],
  async run(context, _, flags) {
    const chosen = tier.safeParse(text(flags, 'tier') ?? 'private');
    const validMs = parseDuration(text(flags, 'valid') ?? '1h');
    const name = text(flags, 'name');
    const site = text(flags, 'site');
    if (!chosen.success || validMs === undefined || name === undefined || site === undefined)
      throw new CliError('usage', 'a join code needs a name and a site, a known tier and a duration', {
        next: `ringfence agent join-code ${this.usage}`,
      });
    const places = texts(flags, 'jurisdiction');
    if (places.length > 4 || places.some((place) => !jurisdiction.safeParse(place).success))
      throw new CliError('usage', '--jurisdiction is not a country', {
        next: 'write two capital letters such as DE, or EU or EEA; four at most',
      });
    const jurisdictions = places.length === 0 ? {} : { jurisdictions: places };
    const { id, code } = await withSession(context, ({ custodian }) =>
      custodian.makeJoinCode({ name, site, tier: chosen.data, validMs, ...jurisdictions }),
    );
    context.terminal.value({ id, code });
    context.terminal.line(code);
  },
};
