import { readStatement } from '@ringfence/keyring';
import type { KeysAnswer } from '@ringfence/protocol/payload';
import type { TombstoneStatement } from '@ringfence/protocol/statements';
import { momentText } from '../placement/moment-text.ts';
import { table } from '../terminal.ts';

/** Who holds the organisation's key, how far a rotation is, and what is shredded. */
export function statusLines({ org, project, providers, rotation, tombstones }: KeysAnswer): string[] {
  const holders = providers.map(({ name, kind, chosen, keyVersion, failure }) => [
    chosen ? `${name} *` : name,
    kind,
    keyVersion ?? '-',
    failure ?? 'usable',
  ]);
  return [
    `organisation ${org}, project ${project}`,
    table(['PROVIDER', 'KIND', 'KEY VERSION', ''], holders),
    rotation === null ? 'no key was rotated yet' : rotationLine(rotation),
    ...tombstones.map((envelope) => tombstoneLine(readStatement('tombstone', envelope).claimed)),
  ];
}

/** Versions of the project's key. */
export function versionLines({ projectKeys }: KeysAnswer): string {
  const rows = projectKeys.map(({ version, state, provider, keyVersion, madeAt, destroyedAt }) => [
    String(version),
    state,
    `${provider} ${keyVersion}`,
    momentText(madeAt),
    destroyedAt === null ? '' : momentText(destroyedAt),
  ]);
  return table(['VERSION', 'STATE', 'UNDER', 'MADE', 'DESTROYED'], rows);
}

/** What a tombstone says. */
export function tombstoneLine({
  kind,
  project,
  org,
  at,
  dataKeys,
  organisationKey,
  goneBy,
}: TombstoneStatement): string {
  const what = kind === 'project' ? `project ${project}` : `organisation ${org}`;
  const ends = {
    destroyed: 'the organisation’s key before is destroyed, so copies of the database open no more',
    scheduled: `the organisation’s key is gone by ${goneBy === undefined ? 'a time that its provider says' : momentText(goneBy)}; until then copies of the database still open`,
    'left-to-owner':
      'the organisation’s key is left to its owner: until it is destroyed there, copies of the database still open',
    kept: 'the organisation’s key is kept by its provider: copies of the database from before still open with it',
  };
  return `${what} was shredded at ${momentText(at)}: ${dataKeys} data keys; ${ends[organisationKey]}`;
}

function rotationLine({
  version,
  cause,
  done,
  total,
  finishedAt,
  stalled,
}: NonNullable<KeysAnswer['rotation']>): string {
  const what = `version ${version} of the project’s key (${cause})`;
  if (finishedAt !== null) return `${what}: ${total} data keys wrapped again by ${momentText(finishedAt)}`;
  const held = stalled === null ? '' : `; it does not go on (${stalled}) and is tried again`;
  return `${what}: ${done} of ${total} data keys wrapped again${held}`;
}
