import { epochMs, formatDuration, parseDuration } from '@ringfence/base';
import type { TokenLimits } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext, type Flags } from '../command.ts';
import { whichEndpoint } from '../endpoint/which-endpoint.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const USAGE =
  'mint ENDPOINT NAME [--expires 30d] [--rpm N] [--concurrency N] [--tpm N] | ls ENDPOINT | revoke ENDPOINT NAME';

export const command: Command = {
  usage: USAGE,
  summary: 'tokens of callers: mint (shown once), list, revoke',
  options: {
    expires: { type: 'string' },
    rpm: { type: 'string' },
    concurrency: { type: 'string' },
    tpm: { type: 'string' },
  },
  words: [2, 3],
  async run(context, [verb, endpoint = '', name], flags) {
    if (verb === 'ls' && name === undefined) return list(context, endpoint);
    if (verb === 'mint' && name !== undefined) return mint(context, { endpoint, name, flags });
    if (verb === 'revoke' && name !== undefined) {
      await withSession(context, ({ custodian }) => custodian.revokeToken(endpoint, name));
      context.terminal.value({ revoked: name });
      return context.terminal.line(`${name} is void`);
    }
    throw new CliError('usage', 'a token is minted, listed or revoked', { next: `ringfence endpoint token ${USAGE}` });
  },
};

async function mint(
  { terminal, clock, ...rest }: CommandContext,
  { endpoint, name, flags }: { endpoint: string; name: string; flags: Flags },
): Promise<void> {
  const validMs = parseDuration(text(flags, 'expires') ?? '30d');
  if (validMs === undefined)
    throw new CliError('usage', '--expires is no duration', { next: 'write it as 12h or 30d' });
  const limits = limitsOf(flags);
  const expires = epochMs(clock.now() + validMs);
  const { token } = await withSession({ terminal, clock, ...rest }, ({ custodian }) =>
    custodian.mintToken(endpoint, { name, expires, limits }),
  );
  terminal.value({ endpoint, name, token, expires, limits });
  terminal.line(token);
}

function limitsOf(flags: Flags): TokenLimits {
  const of = (flag: string): number | undefined => {
    const value = text(flags, flag);
    if (value !== undefined && !/^[1-9]\d{0,8}$/.test(value))
      throw new CliError('usage', `--${flag} is no whole number above 0`, { next: `write it as --${flag} 60` });
    return value === undefined ? undefined : Number(value);
  };
  const [requestsPerMinute, concurrency, tokensPerMinute] = [of('rpm'), of('concurrency'), of('tpm')];
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  };
}

async function list(context: CommandContext, endpoint: string): Promise<void> {
  const { row } = await withSession(context, (session) => whichEndpoint(session, endpoint));
  context.terminal.value({ endpoint, tokens: row.tokens });
  const now = context.clock.now();
  const cells = row.tokens.map(({ name, expires, limits }) => [
    name,
    expires <= now ? 'expired' : `in ${formatDuration(expires - now)}`,
    limitText(limits.requestsPerMinute),
    limitText(limits.concurrency),
    limitText(limits.tokensPerMinute),
  ]);
  const none = `no tokens yet: \`ringfence endpoint token mint ${endpoint} NAME\``;
  context.terminal.line(tableOr(none, ['NAME', 'EXPIRES', 'REQUESTS/MIN', 'AT ONCE', 'TOKENS/MIN'], cells));
}

function limitText(limit: number | undefined): string {
  return limit === undefined ? '-' : String(limit);
}
