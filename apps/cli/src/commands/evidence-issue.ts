import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isId } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { evidenceGrade, evidenceStandard, idOf } from '@ringfence/protocol';
import { EVIDENCE_PREDICATE, IN_TOTO_STATEMENT, type EvidenceStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command, type Flags } from '../command.ts';
import { openKeyFile } from '../marketplace/key-file.ts';
import { giveStatement, spanOf, STATEMENT_FLAGS } from '../marketplace/statement-file.ts';

const sites = idOf('site').array().min(1).max(64);

export const command: Command = {
  usage:
    '--document FILE --standard iso27001 --grade third-party --site ID… --key-file FILE [--provider ID] [--passphrase-file FILE] [--valid 365d] [--out FILE]',
  summary: 'sign what a document shows of sites, of a provider or (without --provider) the organisation’s own',
  options: {
    document: { type: 'string' },
    standard: { type: 'string' },
    grade: { type: 'string' },
    provider: { type: 'string' },
    site: { type: 'string', multiple: true },
    ...STATEMENT_FLAGS,
  },
  words: [0, 0],
  async run(context, _, flags) {
    if (texts(flags, 'site').some((site) => !isId('site', site)))
      throw new CliError('usage', '--site is no site’s id', {
        next: 'take an id of `ringfence agent ls` or of the machine’s papers, not a name',
      });
    const scope = scopeOf(flags);
    if (scope === undefined)
      throw new CliError('usage', 'evidence names a standard, a grade, and sites', {
        next: `ringfence evidence issue ${this.usage}`,
      });
    const subject = subjectOf(text(flags, 'document') ?? '');
    const predicate = { ...scope, ...spanOf(context, flags, '365d') };
    const key = await openKeyFile(context, flags, 'issuer-key');
    const statement: EvidenceStatement = {
      _type: IN_TOTO_STATEMENT,
      subject: [subject],
      predicateType: EVIDENCE_PREDICATE,
      predicate,
    };
    giveStatement(context, flags, () => signStatement('evidence', statement, [key]));
  },
};

function scopeOf(flags: Flags) {
  const standard = evidenceStandard.safeParse(text(flags, 'standard'));
  const grade = evidenceGrade.safeParse(text(flags, 'grade'));
  const provider = idOf('provider').optional().safeParse(text(flags, 'provider'));
  const named = sites.safeParse(texts(flags, 'site'));
  if (!standard.success || !grade.success || !provider.success || !named.success) return undefined;
  const of = provider.data === undefined ? {} : { provider: provider.data };
  return { standard: standard.data, grade: grade.data, ...of, sites: named.data };
}

function subjectOf(path: string): EvidenceStatement['subject'][number] {
  try {
    return { name: basename(path).slice(0, 128), digest: { sha256: sha256Hex(readFileSync(path)) } };
  } catch (cause) {
    throw new CliError('bad-file', '--document names no file that can be read', {
      cause,
      next: 'name the certificate or report; only its digest and name are signed',
    });
  }
}
