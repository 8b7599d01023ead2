import { canonicalBytes, newId, type AgentId, type SiteId } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { checkCodeProof, codeProof, KeyringError } from '@ringfence/keyring';
import type { LinkPeer } from '@ringfence/client/payload-link';
import type { joinAnswer, joinRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { changeKeyring, type KeyringTransaction } from '../keyring/change-keyring.ts';
import { statementsAfter } from '../keyring/statement-rows.ts';
import type { Tx } from '../store/open-store.ts';
import { AGENT_PLACE, SITE_NAME } from '../store/sealed-columns.ts';
import { findJoinCode } from './join-codes.ts';
import { checkNewcomer, checkRoom, machineOf, type FoundCode, type JoiningMachine } from './joining-machine.ts';

type Join = z.output<typeof joinRequest>;

/** How long the answer waits for the control plane to know the agent's frame key, while the link is up. */
const ACKNOWLEDGE_WITHIN_MS = 3_000;

/**
 * Spends a join code for exactly the keys that the proof covers, on the link that those keys made. The same keys again get the same answer;
 * all others find the code spent. Throws CustodianError `bad-code`.
 */
export async function joinAgent(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { proof, ...body }: Join,
  peer: LinkPeer,
): Promise<z.input<typeof joinAnswer>> {
  const link = { client: peer.key, server: context.keys.tls.publicKey };
  const code = await context.store.withOrg(claimed.org, (tx) => findJoinCode(context, tx, body.code));
  const proven = code !== undefined && checkCodeProof(code.secret, { message: 'join-request', link, body }, proof);
  if (!proven || body.keys.tls !== peer.key) throw badCode();
  const agent = await takeIn(context, claimed, body, code);
  await context.link.acknowledged(ACKNOWLEDGE_WITHIN_MS);
  const { statements, head } = await statementsAfter(context, claimed, -1);
  const answer = {
    agent,
    org: claimed.org,
    keyring: statements,
    head,
    controlPlane: claimed.controlPlane,
    custodian: context.keys.id,
    route: context.route(),
  };
  return { ...answer, proof: codeProof(code.secret, { message: 'join-answer', link, body: answer }) };
}

async function takeIn(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  body: Omit<Join, 'proof'>,
  code: FoundCode,
): Promise<AgentId> {
  const digest = sha256Hex(canonicalBytes(body));
  try {
    const joined = await changeKeyring(context, claimed, (transaction) =>
      spend(context, claimed, transaction, { body, code, digest }),
    );
    context.fault('join-after-commit');
    context.openCodes.remove(body.code);
    return joined;
  } catch (cause) {
    if (cause instanceof KeyringError && cause.code === 'not-admitted')
      throw new CustodianError('bad-statement', cause.message, {
        cause,
        next: '`ringfence keyring ls` says whom the organisation lets admit machines of this tier; its provider makes papers anew that have ended or say something else: docs/protocol/marketplace.md',
      });
    // Keys that somebody else has or had: whoever shows them is no new agent.
    if (cause instanceof KeyringError) throw badCode(cause);
    throw cause;
  }
}

async function spend(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { tx, sign }: KeyringTransaction,
  { body, code, digest }: { body: Omit<Join, 'proof'>; code: FoundCode; digest: Digest },
): Promise<AgentId> {
  const machine = machineOf(context, body, code);
  const { agent } = machine;
  const now = context.clock.now();
  const spent = await tx
    .updateTable('join_code')
    .set({ spent_at: now, spent_digest: digest, agent })
    .where('id', '=', body.code)
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst();
  if (spent === undefined) return agentThatSpent(tx, body, digest);
  checkNewcomer(claimed, agent);
  checkRoom(claimed.keyring.agents().length);
  const { org } = claimed;
  const site = await siteCalled(context, tx, org, { name: code.site, site: machine.site });
  if (!claimed.keyring.isSiteOf(site, machine.provider)) throw foreignSite();
  const { keys } = body;
  const place_box = context.columns.seal(AGENT_PLACE, agent, { name: code.name, site: code.site, lan: keys.lan });
  await tx
    .insertInto('agent')
    .values({ agent, org, site, place_box, joined_at: now, locked: null, journal_seq: null, journal_hash: null })
    .execute();
  const { allowProcess, seal, sign: frames, tls } = keys;
  await sign({ kind: 'add-agent', agent, site, sign: frames, tls, seal, allowProcess, ...machine.said });
  await context.record(tx, org, { type: 'agent-joined', agent, code: body.code });
  context.fault('join-before-commit');
  return agent;
}

async function agentThatSpent(tx: Tx, body: Omit<Join, 'proof'>, digest: Digest): Promise<AgentId> {
  const row = await tx
    .selectFrom('join_code')
    .select('agent')
    .where('id', '=', body.code)
    .where('spent_digest', '=', digest)
    .executeTakeFirst();
  if (row?.agent === undefined || row.agent === null) throw badCode();
  return row.agent;
}

/** The site of this name; made by its first agent. A provider's site has an id of its own, which no other site's name stands for. */
async function siteCalled(
  context: CustodianContext,
  tx: Tx,
  org: ClaimedOrganisation['org'],
  { name, site: own }: { name: string; site: JoiningMachine['site'] },
): Promise<SiteId> {
  const name_index = context.columns.index('site', name);
  const known = await tx.selectFrom('site').select('site').where('name_index', '=', name_index).executeTakeFirst();
  if (known !== undefined && own !== undefined && known.site !== own) throw foreignSite();
  if (known !== undefined) return known.site;
  const site = own ?? newId('site', context.rng);
  const renamed = await tx.selectFrom('site').select('site').where('site', '=', site).executeTakeFirst();
  if (renamed !== undefined) return site;
  const name_box = context.columns.seal(SITE_NAME, site, name);
  await tx.insertInto('site').values({ site, org, name_index, name_box }).execute();
  return site;
}

function foreignSite(): CustodianError {
  return new CustodianError('conflict', 'the machine would stand at a site of somebody else, or under its name', {
    next: 'ask for a code that names a site of the provider alone; a provider names its own sites only',
  });
}

/** One answer for every reason: whoever guesses learns nothing. */
function badCode(cause?: unknown): CustodianError {
  return new CustodianError('bad-code', 'the join code is unknown, spent or expired, or its proof is wrong', {
    cause,
    next: 'ask for a new code: `ringfence agent join-code --name NAME --site SITE`; join again into the same folder',
  });
}
