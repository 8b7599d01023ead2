import { formatDuration, formatSize, messageOf, type EpochMs } from '@ringfence/base';
import type { custodianStatus } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import { DELEGATION_MS } from '../home/first-keyring.ts';
import type { Session } from '../session.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';
import { bad, good, unfit, warn, type Finding } from './finding.ts';
import { keyHolders } from './key-holders.ts';
import { memberFindings } from './members.ts';
import { papersFindings } from './papers.ts';

const RENEW_WITHIN_MS = DELEGATION_MS / 4;
/** A backup older than this is no longer one to rely on. */
const BACKUP_WITHIN_MS = 7 * 86_400_000;

/** What the organisation's own services say of themselves. */
export async function organisationFindings(context: CommandContext, session: Session): Promise<Finding[]> {
  const parts = await Promise.all([
    controlPlane(session),
    keyring(context, session),
    custodian(context, session),
    agents(session),
  ]);
  return parts.flat();
}

async function controlPlane({ controlPlane: client, profile }: Session): Promise<Finding[]> {
  try {
    const { id, version } = await client.about();
    if (id !== profile.controlPlane.id)
      return [bad('control plane', 'another one answers at this address', 'check the address with its operator')];
    return [good('control plane', `${profile.controlPlane.url}, release ${version}`)];
  } catch (error) {
    return [
      bad('control plane', messageOf(error), 'check network, proxy (RINGFENCE_PROXY) and CA file (RINGFENCE_CA_FILE)'),
    ];
  }
}

async function keyring(context: CommandContext, session: Session): Promise<Finding[]> {
  try {
    const ring = await checkedKeyring(context, session);
    const until = Math.max(0, ...ring.delegations('head', context.clock.now()).map(({ until: end }) => end));
    const left = until - context.clock.now();
    const delegation =
      left > RENEW_WITHIN_MS
        ? good('delegation', `the custodian may sign for ${formatDuration(left)} more`)
        : warn(
            'delegation',
            `ends in ${formatDuration(Math.max(0, left))}`,
            'ringfence org renew --root-key-file FILE; the custodian stops granting when it ends',
          );
    const papers = papersFindings(ring.agents(), await namesOfAgents(session), context.clock.now());
    return [good('keyring', `statement ${ring.head.seq}, fresh head`), delegation, ...papers];
  } catch (error) {
    return [bad('keyring', messageOf(error), 'nothing starts until this is mended')];
  }
}

async function custodian({ clock }: CommandContext, { custodian: client }: Session): Promise<Finding[]> {
  try {
    const status = await client.status();
    const link =
      status.controlLink === 'up'
        ? good('control link of the custodian', 'up')
        : bad('control link of the custodian', status.controlLink, 'see the custodian’s log');
    return [
      good('custodian', `release ${status.version}, epoch ${status.epoch}`),
      link,
      ...custodianDisk(status.disk),
      ...custodianPosture(status, clock.now()),
      ...(await keyHolders(client)),
      ...(await memberFindings(client.access)),
    ];
  } catch (error) {
    return [bad('custodian', messageOf(error), 'is it running, and does the relay reach it?')];
  }
}

/** How full the custodian’s disk is; an older one does not say. */
function custodianDisk(disk: z.output<typeof custodianStatus>['disk']): Finding[] {
  if (disk === undefined) return [];
  const { freeBytes, totalBytes, reserveBytes, objectBytes } = disk;
  const use = `${formatSize(objectBytes)} of sealed objects; ${formatSize(freeBytes)} of ${formatSize(totalBytes)} free`;
  if (freeBytes >= reserveBytes) return [good('disk of the custodian', use)];
  return [bad('disk of the custodian', `${use}: it takes no uploads`, 'ringfence artifact prune --older-than 30d')];
}

type Posture = Pick<z.output<typeof custodianStatus>, 'lastBackupAt' | 'seal' | 'database' | 'databaseUnfit'>;

/** What loses data or keys one day: tolerable for a try, refused with `--production`. */
export function custodianPosture({ lastBackupAt, seal, ...of }: Posture, now: EpochMs): Finding[] {
  const age = lastBackupAt === null ? undefined : Math.max(0, now - lastBackupAt);
  const none = 'none exists: losing the custodian’s disk loses every key and result';
  return [
    age === undefined || age > BACKUP_WITHIN_MS
      ? unfit(
          'backup',
          age === undefined ? none : `${formatDuration(age)} old`,
          'ringfence custodian backup --out FILE',
        )
      : good('backup', `${formatDuration(age)} old`),
    seal === 'key-file'
      ? unfit(
          'custodian keys',
          'sealed by a key file on the same machine',
          'start the custodian with a passphrase: docs/operate/custodian.md',
        )
      : good('custodian keys', 'sealed by a passphrase'),
    ...databasePosture(of),
  ];
}

const DATABASE_REMEDIES = {
  'embedded-database': [
    'the embedded PostgreSQL, which bundles an old OpenSSL and has no replica',
    'run a PostgreSQL server and set CUSTODIAN_DATABASE_URL',
  ],
  'unprotected-connection': [
    'the way to it is not protected',
    'write sslmode=verify-full into CUSTODIAN_DATABASE_URL: docs/operate/database.md',
  ],
  'not-durable': [
    'may lose what it acknowledged when the power fails',
    'set fsync, full_page_writes and synchronous_commit on',
  ],
  'superuser-url': [
    'CUSTODIAN_DATABASE_URL names a superuser',
    'make a user that may create roles and owns the database, no more: docs/operate/database.md',
  ],
} as const;

/** A custodian of an older release says only whether its database is the embedded one. */
function databasePosture({ database, databaseUnfit }: Pick<Posture, 'database' | 'databaseUnfit'>): Finding[] {
  const reasons = databaseUnfit ?? (database === 'embedded' ? (['embedded-database'] as const) : []);
  if (reasons.length === 0) return [good('custodian database', 'a PostgreSQL server')];
  return reasons.map((reason) => {
    const [detail, remedy] = DATABASE_REMEDIES[reason];
    return unfit('custodian database', detail, remedy);
  });
}

async function agents({ controlPlane: client, custodian: names }: Session): Promise<Finding[]> {
  try {
    const [offers, members] = await Promise.all([client.agents(), names.agents()]);
    return agentPosture(
      offers.map(({ agent, isolations }) => ({
        name: members.find((member) => member.agent === agent)?.name ?? agent,
        isolations,
      })),
    );
  } catch (error) {
    return [warn('agents', messageOf(error), 'see the lines above')];
  }
}

/** Whether every agent keeps jobs in a sandbox. */
export function agentPosture(
  agents: readonly { readonly name: string; readonly isolations: readonly string[] }[],
): Finding[] {
  const open = agents.filter(({ isolations }) => isolations.includes('process')).map(({ name }) => name);
  if (open.length === 0)
    return agents.length === 0 ? [] : [good('isolation', `${agents.length} agents, all with a sandbox`)];
  const remedy = 'remove these agents and join them again without --allow-process';
  return [unfit('isolation', `${open.join(', ')} may run jobs without a sandbox`, remedy)];
}
