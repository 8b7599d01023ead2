import { TOKEN_ALGORITHMS } from '@ringfence/protocol/api';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command } from '../command.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'ISSUER --client-id ID [--public | --secret-file FILE] [--algorithm ALG…] [--assures 1|2] [--acr ACR]',
  summary: 'let members sign in at an identity provider (OpenID Connect)',
  options: {
    'client-id': { type: 'string' },
    public: { type: 'boolean' },
    'secret-file': { type: 'string' },
    algorithm: { type: 'string', multiple: true },
    assures: { type: 'string' },
    acr: { type: 'string' },
  },
  words: [1, 1],
  async run(context, [issuer = ''], flags) {
    const clientId = text(flags, 'client-id');
    if (clientId === undefined)
      throw new CliError('usage', '--client-id is missing', { next: `ringfence sso add ${this.usage}` });
    const assures = text(flags, 'assures') ?? '1';
    if (assures !== '1' && assures !== '2')
      throw new CliError('usage', '--assures is 1 or 2', {
        next: 'see docs/identity.md: 2 where it asks for two factors',
      });
    const given = texts(flags, 'algorithm');
    const algorithms = TOKEN_ALGORITHMS.filter((name) => given.includes(name));
    if (algorithms.length !== given.length)
      throw new CliError('usage', 'there is no such algorithm', { next: `some of: ${TOKEN_ALGORITHMS.join(', ')}` });
    const secret =
      flags['public'] === true
        ? null
        : await secretInput(context, flags, { flag: 'secret', prompt: 'secret of the client at the provider' });
    const added = await withSession(context, ({ controlPlane }) =>
      controlPlane.addProvider({
        issuer,
        clientId,
        secret,
        algorithms: algorithms.length === 0 ? ['RS256'] : algorithms,
        assures: assures === '1' ? 1 : 2,
        acr: text(flags, 'acr') ?? null,
      }),
    );
    const provider = added.providers.find((each) => each.issuer === issuer && each.clientId === clientId)?.provider;
    context.terminal.value({ provider, redirectUri: added.redirectUri });
    context.terminal.line(`${provider}`);
    context.terminal.line(`the provider has to list this as where it sends browsers back to: ${added.redirectUri}`);
  },
};
