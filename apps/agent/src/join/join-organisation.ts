import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, newId, type AgentId, type Clock, type Log, type Rng } from '@ringfence/base';
import { makeFolder, syncFolder } from '@ringfence/base/platform';
import { ApiRefusal } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { Envelope } from '@ringfence/crypto/sign';
import type { RecordKey } from '@ringfence/crypto/record';
import { checkCodeProof, codeProof, foldKeyring, type JoinCode, type Keyring } from '@ringfence/keyring';
import type { JoinKeys } from '@ringfence/protocol/payload';
import { AgentError } from '../agent-error.ts';
import type { Fault } from '../fault-points.ts';
import { makeIdentity, type AgentIdentity } from '../identity/agent-identity.ts';
import {
  dialCustodian,
  linkFolder,
  markJoined,
  readLinks,
  storeLink,
  type JoinedLink,
  type OuterSettings,
} from '../link/joined-link.ts';
import { KeyringCopy } from '../link/keyring-copy.ts';
import { checkPapers, preparedFolder, type Papers } from './papers.ts';

/** What a join needs. */
export interface JoinOptions {
  readonly state: string;
  readonly code: JoinCode;
  readonly key: RecordKey;
  readonly allowProcess: boolean;
  readonly lan: string | undefined;
  /** What admits a provider's machine, about the keys of {@link preparedFolder}. */
  readonly admitted?: Papers | undefined;
  readonly outer: OuterSettings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly fault: Fault;
}

interface Handover {
  readonly statements: readonly Envelope[];
  readonly head: Envelope;
  readonly agent: AgentId | undefined;
}

/**
 * Joins the organisation that the code names. The keys lie on disk before they are sent: a join that was cut after the code was spent is
 * finished by calling again with the same code. Throws AgentError `already-joined`, `bad-code`, `join-refused`, `wrong-custodian`; ClientError.
 */
export async function joinOrganisation(options: JoinOptions): Promise<JoinedLink> {
  const { state, code, key, clock, rng, fault } = options;
  const { controlPlane, custodian: route, orgRoot } = code.route;
  const folder = linkFolder(state, controlPlane.id);
  const joined = readLinks(state).find((link) => link.controlPlane.id === controlPlane.id);
  if (joined !== undefined) return finishJoin(state, joined);
  const pending = options.admitted === undefined ? join(state, `joining-${code.id}`) : preparedFolder(state);
  makeFolder(pending);
  const identity = await makeIdentity(pending, key, { clock, rng });
  const keys = joinKeys(identity, options);
  if (options.admitted !== undefined) checkPapers(options.admitted, keys);
  const custodian = dialCustodian({ route, outer: options.outer, identity: identity.link, clock });
  try {
    fault('join-before-request');
    const handover = await requestJoin(custodian, code, keys, options.admitted);
    fault('join-after-answer');
    const keyring = foldKeyring(handover.statements, orgRoot);
    const agent = checkHandover(keyring, code, keys, handover.agent);
    KeyringCopy.create(pending, { ...handover, root: orgRoot, clock });
    const link: JoinedLink = {
      v: 1,
      agent,
      org: keyring.org,
      orgRoot,
      custodian: route.id,
      route: { tls: route.tls, relay: route.relay, lan: route.lan },
      controlPlane,
      offer: newId('offer', rng),
      allowProcess: options.allowProcess,
      lan: keys.lan,
      outer: options.outer,
    };
    storeLink(pending, link);
    makeFolder(join(state, 'links'));
    renameSync(pending, folder);
    syncFolder(join(state, 'links'));
    markJoined(state);
    return link;
  } finally {
    custodian.close();
  }
}

/** A join that was cut before its very last step is whole; one that had ended is not repeated. */
function finishJoin(state: string, link: JoinedLink): JoinedLink {
  if (existsSync(join(state, 'joined.json')) && isMarked(state, link))
    throw new AgentError('already-joined', 'this state folder has joined through this control plane already', {
      next: 'use another folder for another agent',
    });
  markJoined(state);
  return link;
}

function isMarked(state: string, { controlPlane }: JoinedLink): boolean {
  return readFileSync(join(state, 'joined.json'), 'utf8').includes(controlPlane.id);
}

function joinKeys({ sign, link, seal }: AgentIdentity, { allowProcess, lan }: JoinOptions): JoinKeys {
  return { sign: sign.publicKey, tls: link.key.publicKey, seal: seal.publicKey, allowProcess, lan: lan ?? null };
}

async function requestJoin(
  custodian: CustodianClient,
  code: JoinCode,
  keys: JoinKeys,
  admitted: Papers | undefined,
): Promise<Handover> {
  const link = { client: keys.tls, server: code.route.custodian.tls };
  const body = { code: code.id, keys, ...(admitted === undefined ? {} : { admitted }) };
  const request = { ...body, proof: codeProof(code.secret, { message: 'join-request', link, body }) };
  const answer = await custodian.join(request).catch((error: unknown) => afterRefusal(custodian, error));
  if ('spent' in answer) return { ...answer.spent, agent: undefined };
  const { proof, ...rest } = answer;
  if (!checkCodeProof(code.secret, { message: 'join-answer', link, body: rest }, proof))
    throw wrong('the custodian did not prove that it knows the code');
  if (
    rest.custodian !== code.route.custodian.id ||
    canonicalJson(rest.controlPlane) !== canonicalJson(code.route.controlPlane)
  )
    throw wrong('the custodian names another control plane or another self than the code');
  return { statements: rest.keyring, head: rest.head, agent: rest.agent };
}

/** The code may have been spent by these very keys, in a join that was cut: then the keyring has them, and the custodian hands it over. */
async function afterRefusal(
  custodian: CustodianClient,
  error: unknown,
): Promise<{ spent: { statements: readonly Envelope[]; head: Envelope } }> {
  if (!(error instanceof ApiRefusal)) throw error;
  const spent = await custodian.keyring(-1).catch(() => undefined);
  if (spent !== undefined) return { spent };
  if (error.code !== 'bad-code')
    throw new AgentError('join-refused', `the custodian refuses the join: ${error.message}`, {
      cause: error,
      next: error.next ?? 'see the custodian’s log',
    });
  throw new AgentError('bad-code', `the custodian does not take this code: ${error.message}`, {
    cause: error,
    next: 'ask for a new code with `ringfence agent join-code`, and join into the same folder again',
  });
}

/** The keyring leads from the pinned root (checked when it was folded), has the pinned custodian, and this agent with exactly its own keys. */
function checkHandover(keyring: Keyring, code: JoinCode, keys: JoinKeys, named: AgentId | undefined): AgentId {
  const custodian = keyring.custodianOf(code.route.custodian.id);
  if (custodian?.tls !== code.route.custodian.tls) throw wrong('the keyring does not have the custodian of the code');
  const owner = keyring.byTlsKey(keys.tls);
  const entry = owner?.kind === 'agent' ? keyring.agent(owner.id) : undefined;
  if (entry === undefined || (named !== undefined && entry.id !== named))
    throw wrong('the keyring does not have this agent');
  if (entry.sign !== keys.sign || entry.seal !== keys.seal || entry.allowProcess !== keys.allowProcess)
    throw wrong('the keyring has other keys for this agent than its own');
  return entry.id;
}

function wrong(message: string): AgentError {
  return new AgentError('wrong-custodian', message, {
    next: 'do not go on: ask the owner of the organisation for a new code, over a way that nobody else can change',
  });
}
