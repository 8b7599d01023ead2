import type { Keyring } from '@ringfence/keyring';
import type { EvidenceRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { evidenceCells, evidenceView, NEXT_BY_STATE } from '../marketplace/evidence-view.ts';
import { readStatementFile } from '../marketplace/statement-file.ts';
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
  { terminal, clock }: CommandContext,
  { custodian }: Session,
  { keyring, file }: { keyring: Keyring; file: string },
): Promise<void> {
  const { envelope } = readStatementFile('evidence', file);
  const revocations = (await custodian.evidence()).flatMap(({ revocation }) => revocation ?? []);
  const view = evidenceView(clock.now(), keyring, { document: envelope, revocations });
  terminal.value({ evidence: view });
  if (view.state !== 'counts')
    throw new CliError('check-failed', `the evidence does not count: ${view.state}`, {
      next: NEXT_BY_STATE[view.state],
    });
  terminal.line(`${view.digest} counts: ${view.standard}, ${view.grade}, ends ${view.ends}`);
}

function show({ terminal, clock }: CommandContext, keyring: Keyring, rows: readonly EvidenceRow[]): void {
  const views = rows.map(({ document, revocation }) =>
    evidenceView(clock.now(), keyring, { document, revocations: revocation === null ? [] : [revocation] }),
  );
  terminal.value({ evidence: views });
  const cells = views.map(evidenceCells);
  const none = 'no evidence yet: `ringfence provider evidence add FILE`';
  terminal.line(tableOr(none, ['EVIDENCE', 'STANDARD', 'GRADE', 'PROVIDER', 'UNTIL', 'STATE'], cells));
}
