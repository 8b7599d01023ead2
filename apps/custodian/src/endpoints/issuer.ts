import { durationMs, epochMs, fromUtf8, Secret, utf8, type AgentId } from '@ringfence/base';
import {
  certificateFingerprint,
  checkCertificateRequest,
  createCertificateAuthority,
  CryptoError,
  issueForRequest,
  type CertificateAuthority,
} from '@ringfence/crypto/certificate';
import { endpointHost, type gatewayCertificateAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { ISSUER_KEY } from '../store/sealed-columns.ts';
import { requireGateway } from './gateways.ts';

/** How long a gateway's certificate is good for. */
const LIFETIME_MS = durationMs(86_400_000);
/** How long callers have to take a new issuer up before it issues anything. */
const ISSUES_AFTER_MS = 7 * 86_400_000;
const MOST_HOSTS = 16;
/** What no request may ask for itself: names of endpoints are the custodian's to give. */
const OWN_NAMES = /(?:^|\.)ringfence\.internal$/i;

interface Issuer {
  readonly serial: number;
  readonly authority: CertificateAuthority;
  readonly from: number;
}

/** The certificates that callers pin: the one that issues, those that will, and those whose last certificate may still be shown. */
export async function issuerBundle(context: CustodianContext, claimed: ClaimedOrganisation): Promise<string> {
  return (await issuers(context, claimed)).map(({ authority }) => authority.certificatePem).join('');
}

/** Makes an issuer that takes over in a week; callers who renew the file by then notice nothing. */
export async function rotateIssuer(context: CustodianContext, claimed: ClaimedOrganisation): Promise<string> {
  const known = await issuers(context, claimed);
  const now = context.clock.now();
  if (known.some(({ from }) => from > now))
    throw new CustodianError('conflict', 'a new issuer takes over within a week already', {
      next: 'give callers the file of `ringfence endpoint ca`',
    });
  await addIssuer(context, claimed, { serial: (known.at(-1)?.serial ?? 0) + 1, from: now + ISSUES_AFTER_MS });
  return issuerBundle(context, claimed);
}

/** A certificate for a gateway's own key: for every endpoint that there is, and the names that it listens by. Throws CustodianError `bad-request`, `not-authorised`. */
export async function certifyGateway(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { agent, request }: { agent: AgentId; request: string },
): Promise<z.input<typeof gatewayCertificateAnswer>> {
  await requireGateway(context, claimed, agent);
  const checked = await checkRequest(request);
  const endpoints = (await context.endpoints.known()).filter(({ removed }) => !removed);
  const names = [...endpoints.map(({ endpoint }) => endpointHost(endpoint)), ...checked.hosts];
  const now = context.clock.now();
  const signer = (await issuers(context, claimed)).findLast(({ from }) => from <= now);
  if (signer === undefined) throw new Error('there is no issuer whose time has come');
  const { chainPem, notAfter } = await issueForRequest(signer.authority, {
    request: checked,
    hosts: names.length === 0 ? ['gateway.ringfence.internal'] : names,
    clock: context.clock,
    rng: context.rng,
    lifetime: LIFETIME_MS,
  });
  return { chain: chainPem, notAfter: epochMs(notAfter) };
}

async function checkRequest(request: string) {
  try {
    const checked = await checkCertificateRequest(request, MOST_HOSTS);
    if (!checked.hosts.some((host) => OWN_NAMES.test(host))) return checked;
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
  }
  throw new CustodianError('bad-request', 'the certificate request does not check out', {
    next: 'name at most 16 addresses of the gateway itself',
  });
}

/** All issuers that count, the oldest first; the first one is made when somebody asks for it. */
async function issuers(context: CustodianContext, claimed: ClaimedOrganisation): Promise<Issuer[]> {
  const known = await readIssuers(context, claimed);
  if (known.length > 0) return known;
  await addIssuer(context, claimed, { serial: 1, from: context.clock.now() });
  return readIssuers(context, claimed);
}

async function readIssuers(context: CustodianContext, { org }: ClaimedOrganisation): Promise<Issuer[]> {
  const rows = await context.store.withOrg(
    org,
    (tx) => tx.selectFrom('endpoint_issuer').selectAll().orderBy('serial').execute(),
    { readOnly: true },
  );
  const now = context.clock.now();
  return rows
    .map(({ serial, certificate, key_box, issues_from }) => ({
      serial,
      authority: {
        certificatePem: certificate,
        privateKeyPem: new Secret(utf8(context.columns.open(ISSUER_KEY, String(serial), key_box))),
      },
      from: issues_from,
    }))
    .filter((_, at, all) => {
      const next = all[at + 1];
      return next === undefined || now < next.from + LIFETIME_MS;
    });
}

async function addIssuer(
  context: CustodianContext,
  { org }: ClaimedOrganisation,
  { serial, from }: { serial: number; from: number },
): Promise<void> {
  const { certificatePem, privateKeyPem } = await createCertificateAuthority(context);
  const key_box = context.columns.seal(ISSUER_KEY, String(serial), fromUtf8(privateKeyPem.expose()));
  const certificate = certificateFingerprint(certificatePem);
  await context.store.withOrg(org, async (tx) => {
    const made = await tx
      .insertInto('endpoint_issuer')
      .values({ serial, org, certificate: certificatePem, key_box, issues_from: from })
      .onConflict((conflict) => conflict.columns(['org', 'serial']).doNothing())
      .returning('serial')
      .executeTakeFirst();
    if (made !== undefined) await context.record(tx, org, { type: 'issuer-made', certificate });
    context.fault('endpoint-before-commit');
  });
  context.fault('endpoint-after-commit');
}
