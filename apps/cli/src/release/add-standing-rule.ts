import { epochMs, newId, parseSize } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import {
  OPENING_KINDS,
  type OpeningKind,
  type ReleaseRuleStatement,
  type RuleScope,
} from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, texts, type CommandContext, type Flags } from '../command.ts';
import { whichJob } from '../job/which-job.ts';
import type { Session } from '../session.ts';
import { RECIPIENT_OPTIONS, recipientsOf, validityOf } from './recipients-of.ts';

/** Flags of a standing rule. */
export const RULE_OPTIONS = {
  job: { type: 'string' },
  allow: { type: 'string', multiple: true },
  purpose: { type: 'string', multiple: true },
  'most-bytes': { type: 'string' },
  'most-openings': { type: 'string' },
  ...RECIPIENT_OPTIONS,
} as const;

/** Signs a standing rule as its flags say, and hands it in. Throws CliError `usage`, `not-found`. */
export async function addStandingRule(
  { clock, rng }: CommandContext,
  session: Session,
  dataset: string | undefined,
  flags: Flags,
): Promise<void> {
  const { profile, keys, custodian } = session;
  const at = clock.now();
  const [purposes, limits] = [texts(flags, 'purpose'), limitsOf(flags)];
  const body: ReleaseRuleStatement = {
    v: 1,
    org: profile.org,
    device: profile.device,
    rule: newId('release', rng),
    scope: await scopeOf(session, dataset, text(flags, 'job')),
    kinds: kindsOf(flags),
    ...(purposes.length === 0 ? {} : { purposes }),
    recipients: recipientsOf(flags, profile.org, 'all'),
    ...limits,
    at,
    notAfter: epochMs(at + validityOf(flags, '90d')),
  };
  await custodian.release.addRule(signStatement('release-rule', body, [keys.sign]));
}

async function scopeOf(session: Session, dataset: string | undefined, job: string | undefined): Promise<RuleScope> {
  if ((dataset === undefined) === (job === undefined))
    throw new CliError('usage', 'a rule is about a dataset or about a job', {
      next: 'ringfence release rule add DATASET, or add --job JOB',
    });
  if (job !== undefined) return { job: await whichJob(session, job) };
  const found = (await session.custodian.artifacts()).find((row) => row.kind === 'dataset' && row.name === dataset);
  if (found === undefined)
    throw new CliError('not-found', 'there is no such dataset', {
      next: 'see `ringfence dataset ls`; for a result name the data that it was made of, or --job',
    });
  return { dataset: found.artifact };
}

function kindsOf(flags: Flags): OpeningKind[] {
  const words = texts(flags, 'allow').flatMap((list) => list.split(','));
  const kinds = OPENING_KINDS.filter((kind) => words.includes(kind));
  if (kinds.length > 0 && words.every((word) => kinds.some((kind) => kind === word))) return kinds;
  throw new CliError('usage', '--allow takes what may be opened', { next: `some of ${OPENING_KINDS.join(',')}` });
}

function limitsOf(flags: Flags): Pick<ReleaseRuleStatement, 'mostBytes' | 'mostOpenings'> {
  const [size, count] = [text(flags, 'most-bytes'), text(flags, 'most-openings')];
  const mostBytes = size === undefined ? undefined : parseSize(size);
  if ((size !== undefined && mostBytes === undefined) || (count !== undefined && !/^[1-9]\d{0,5}$/.test(count)))
    throw new CliError('usage', 'a limit is no size, or no number', {
      next: 'such as --most-bytes 10MB or --most-openings 5',
    });
  return {
    ...(mostBytes === undefined ? {} : { mostBytes }),
    ...(count === undefined ? {} : { mostOpenings: Number(count) }),
  };
}
