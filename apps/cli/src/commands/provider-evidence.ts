import { formatDuration } from '@ringfence/base';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { readEvidence, readStatement, type Keyring } from '@ringfence/keyring';
import type { EvidenceRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { readStatementFile } from '../marketplace/statement-file.ts';
import { momentText } from '../placement/moment-text.ts';
import { withSession, type Session } from '../session.ts';
import { tableOr } from '../terminal.ts';

const USAGE = 'add FILE | ls | verify FILE | revoke FILE';

export const command: Command = {
  usage: USAGE,
  summary: 'evidence at the custodian: add, list, verify a document by the keyring, hand in a revocation',
  options: {},
  words: [1, 2],
  async run(context, [verb, file]) {
    const known = verb === 'ls' ? file === undefined : file !== undefined;
    if (!known || !['add', 'ls', 'verify', 'revoke'].includes(verb ?? ''))
      throw new CliError('usage', 'evidence is added, listed, verified or revoked', {
        next: `ringfence provider evidence ${USAGE}`,
      });
    await withSession(context, async (session) => {
      const keyring = await checkedKeyring(context, session);
      if (verb === 'verify') return verify(context, session, { keyring, file: file ?? '' });
      show(context, keyring, await rowsAfter(session, verb ?? '', file ?? ''));
    });
  },
};

function rowsAfter({ custodian }: Session, verb: string, file: string): Promise<EvidenceRow[]> {
  if (verb === 'ls') return custodian.evidence();
  if (verb === 'add') return custodian.addEvidence(readStatementFile('evidence', file).envelope);
  const { envelope, claimed } = readStatementFile('evidence-revocation', file);
  return custodian.revokeEvidence(claimed.evidence, envelope);
}

/** What a document is worth to this organisation, the custodian's revocations included; a start may ask for more. */
async function verify(
  context: CommandContext,
  { custodian }: Session,
  { keyring, file }: { keyring: Keyring; file: string },
): Promise<void> {
  const { envelope } = readStatementFile('evidence', file);
  const revocations = (await custodian.evidence()).flatMap(({ revocation }) => revocation ?? []);
  const view = viewOf(context, keyring, { document: envelope, revocations });
  context.terminal.value({ evidence: view });
  if (view.state !== 'counts')
    throw new CliError('check-failed', `the evidence does not count: ${view.state}`, {
      next: 'see docs/protocol/marketplace.md for what that means',
    });
  context.terminal.line(`${view.digest} counts: ${view.standard}, ${view.grade}, ends ${view.ends}`);
}

function show(context: CommandContext, keyring: Keyring, rows: readonly EvidenceRow[]): void {
  const views = rows.map(({ document, revocation }) =>
    viewOf(context, keyring, { document, revocations: revocation === null ? [] : [revocation] }),
  );
  context.terminal.value({ evidence: views });
  const cells = views.map((view) => [
    view.digest.slice(0, 12),
    view.standard ?? '-',
    view.grade ?? '-',
    providerText(view),
    view.until === undefined ? '-' : momentText(view.until).slice(0, 10),
    view.state,
  ]);
  const none = 'no evidence yet: `ringfence provider evidence add FILE`';
  context.terminal.line(tableOr(none, ['EVIDENCE', 'STANDARD', 'GRADE', 'PROVIDER', 'UNTIL', 'STATE'], cells));
}

/** Whose sites a document is about; of one that does not read nobody knows. */
function providerText({ standard, provider }: Pick<ReturnType<typeof viewOf>, 'standard' | 'provider'>): string {
  return standard === undefined ? '-' : (provider ?? 'own sites');
}

function viewOf(
  { clock }: CommandContext,
  keyring: Keyring,
  { document, revocations }: { document: Envelope; revocations: readonly Envelope[] },
) {
  const read = readEvidence(document, revocations, keyring);
  const digest = statementDigest(document);
  if ('fault' in read && read.fault === 'malformed') return { digest, state: read.fault };
  // What a document says that counts no more is shown all the same: its state says that.
  const claim = 'fault' in read ? readStatement('evidence', document).claimed.predicate : read.claim;
  const { standard, grade, provider, sites, from, until } = claim;
  const now = clock.now();
  const begun = now < from ? 'not-begun' : 'counts';
  const ends = until > now ? `in ${formatDuration(until - now)}` : 'ended';
  const state = 'fault' in read ? read.fault : until > now ? begun : 'ended';
  return { digest, state, standard, grade, provider, sites, from, until, ends };
}
