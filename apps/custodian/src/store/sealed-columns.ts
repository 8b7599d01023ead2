import { envelope, idOf, jurisdiction, sensitivity, whole } from '@ringfence/protocol';
import { contractFile, plainText } from '@ringfence/protocol/federation';
import {
  payloadName,
  partyRoute,
  releasedObject,
  serviceSpec,
  sitePath,
  variableName,
} from '@ringfence/protocol/payload';
import { purposeWord, recipients } from '@ringfence/protocol/statements';
import { z } from 'zod';
import type { SealedColumn } from './sealed-column.ts';

const column = <Schema extends z.ZodType>(value: SealedColumn<Schema>): SealedColumn<Schema> => value;

/** The registration code that a claim brought. */
export const REGISTRATION = column({ table: 'organisation', column: 'registration_box', schema: z.string() });

/** What a join code promises. */
export const JOIN_CODE = column({
  table: 'join_code',
  column: 'code_box',
  schema: z.strictObject({
    secret: z.string(),
    name: z.string(),
    site: z.string(),
    jurisdictions: z.array(jurisdiction).min(1).max(4).optional(),
  }),
});

/** What people call a site. */
export const SITE_NAME = column({ table: 'site', column: 'name_box', schema: z.string() });

/** What people call an agent, and where it listens. */
export const AGENT_PLACE = column({
  table: 'agent',
  column: 'place_box',
  schema: z.strictObject({ name: z.string(), site: z.string(), lan: partyRoute.shape.lan }),
});

/** What people call an artifact. */
export const ARTIFACT_NAME = column({ table: 'artifact', column: 'name_box', schema: payloadName });

/** The label of an artifact's version, and its size. */
export const ARTIFACT_DETAILS = column({
  table: 'artifact_version',
  column: 'details_box',
  schema: z.strictObject({
    sensitivity,
    residency: z.array(jurisdiction),
    purposes: z.array(z.string()),
    noPurpose: z.literal(true).optional(),
    files: whole(0, 1_000_000),
    bytes: whole(0, Number.MAX_SAFE_INTEGER),
  }),
});

/** Where data lies that is not copied. */
export const ARTIFACT_PLACE = column({
  table: 'artifact_version',
  column: 'place_box',
  schema: z.strictObject({ site: idOf('site'), siteName: z.string(), path: sitePath }),
});

/** What people call a job. */
export const JOB_NAME = column({ table: 'job', column: 'name_box', schema: payloadName });

/** Secrets that the last refused grant of a job lacked. */
export const JOB_MISSING = column({ table: 'job', column: 'missing_box', schema: z.array(variableName) });

/** What people call a secret. */
export const SECRET_NAME = column({ table: 'secret', column: 'name_box', schema: variableName });

/** A profile or policy as it was signed; the row is its digest. */
export const RULE_DOCUMENT = column({ table: 'signed_rule', column: 'document_box', schema: envelope });

/** What a member asks owners of data to release. */
export const RELEASE_REQUEST = column({
  table: 'release_request',
  column: 'request_box',
  schema: z.strictObject({
    objects: z.array(releasedObject),
    purpose: purposeWord,
    recipients,
    validMs: whole(0, Number.MAX_SAFE_INTEGER),
  }),
});

/** An owner's word as it was signed; the row is its digest. */
export const RELEASE_WORD = column({ table: 'release_word', column: 'word_box', schema: envelope });

/** The statement that ended a word. */
export const RELEASE_END = column({ table: 'release_word', column: 'end_box', schema: envelope });

/** A contract with its signatures and its parties' keyrings; the row is its digest. */
export const CONTRACT_FILE = column({ table: 'contract', column: 'file_box', schema: contractFile });

/** A party's withdrawal as it was signed. */
export const CONTRACT_WITHDRAWAL = column({
  table: 'contract_withdrawal',
  column: 'statement_box',
  schema: envelope,
});

/** What came of a round, as its agent told it, in JSON; the row is contract, agent and round. */
export const ROUND_REPORT = column({ table: 'federation_round', column: 'report_box', schema: z.string() });

/** What people call another organisation. */
export const PEER_NAME = column({ table: 'peer_name', column: 'name_box', schema: plainText(64) });

/** What people call a member. */
export const MEMBER_NAME = column({ table: 'member', column: 'name_box', schema: payloadName });

/** The shared secret of an authenticator, base64url. */
export const TOTP_SECRET = column({ table: 'totp', column: 'secret_box', schema: z.string() });

/** The statement that a proposal would carry out. */
export const PROPOSED = column({ table: 'proposal', column: 'statement_box', schema: envelope });

/** What people call an endpoint. */
export const ENDPOINT_NAME = column({ table: 'endpoint', column: 'name_box', schema: payloadName });

/** How an endpoint is called, by revision. */
export const ENDPOINT_SERVICE = column({ table: 'endpoint_revision', column: 'service_box', schema: serviceSpec });

/** What people call a token. */
export const TOKEN_NAME = column({ table: 'endpoint_token', column: 'name_box', schema: payloadName });

/** Private key of an issuer of gateways' certificates, in PEM. */
export const ISSUER_KEY = column({ table: 'endpoint_issuer', column: 'key_box', schema: z.string() });

export type PlaceOfData = z.infer<(typeof ARTIFACT_PLACE)['schema']>;
export type ArtifactDetails = z.infer<(typeof ARTIFACT_DETAILS)['schema']>;
