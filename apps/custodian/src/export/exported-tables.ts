import type { JobId } from '@ringfence/base';
import { fromUtf8 } from '@ringfence/base';
import { versionRow } from '../artifacts/artifact-rows.ts';
import type { BACKUP_TABLES } from '../backup/row-lines.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { reportRow } from '../federation/report-round.ts';
import { openWorkload } from '../jobs/open-workload.ts';
import type { SealedColumn } from '../store/sealed-column.ts';
import * as sealed from '../store/sealed-columns.ts';
import type { CustodianTables } from '../store/tables.ts';
import type { Selectable } from 'kysely';
import type { z } from 'zod';

type BackedUp = (typeof BACKUP_TABLES)[number];
type Row<Table extends BackedUp> = Selectable<CustodianTables[Table]>;

/** What opening a row's columns works with. */
export interface Opening {
  readonly context: CustodianContext;
  readonly claimed: ClaimedOrganisation;
}

/** Columns that are left out, and those that are opened, by the name under which they are written. */
interface ExportedTable<Table extends BackedUp> {
  readonly without?: readonly (keyof Row<Table> & string)[];
  readonly opened?: Readonly<Record<string, (row: Row<Table>, by: Opening) => unknown>>;
}

function opened<Schema extends z.ZodType>(
  { context }: Opening,
  column: SealedColumn<Schema>,
  id: string,
  box: Uint8Array | null,
): unknown {
  return box === null ? null : context.columns.open(column, id, box);
}

const WRAPPED = ['kek', 'kek_version', 'key_box'] as const;
const at = ({ artifact, version }: Row<'artifact_version'>): string => versionRow(artifact, version);

/** A job as it was launched, but for the key of its code. */
async function workloadOf(
  { job, workload }: { job: JobId; workload: Uint8Array | null },
  { context, claimed }: Opening,
) {
  if (workload === null) return null;
  const work = await openWorkload(context, claimed.org, job, workload);
  if (work === undefined) return null;
  const { code, ...rest } = work;
  return { ...rest, ...(code === undefined ? {} : { code: { manifest: code.manifest } }) };
}

/** What is written of no row: it only finds, counts, orders or opens what another table says. */
export const BOOK_KEEPING = 'book-keeping';

/** Tables of which each row is written in clear, without keys, secret values and what only finds or seals; a new one has to be named here. */
export const EXPORTED_TABLES: { readonly [Table in BackedUp]: ExportedTable<Table> | typeof BOOK_KEEPING } = {
  join_code: BOOK_KEEPING,
  object: BOOK_KEEPING,
  chunk: BOOK_KEEPING,
  notice: BOOK_KEEPING,
  endpoint_slot: BOOK_KEEPING,
  shred_order: BOOK_KEEPING,
  key_rotation: BOOK_KEEPING,
  audit_subject: BOOK_KEEPING,
  dataset_object: BOOK_KEEPING,
  indexed_version: BOOK_KEEPING,
  dataset_owner: {},
  federation_job: {},
  federation_round: {
    without: ['report_box'],
    opened: {
      report: (row, by) => opened(by, sealed.ROUND_REPORT, reportRow(row), row.report_box),
    },
  },
  federation_pause: {},
  privacy_budget: {},
  contract_only: {},
  privacy_lineage: {},
  privacy_tally: {},
  privacy_entry: {},
  privacy_doubt: {},
  release_request: {
    without: ['request_box'],
    opened: {
      asked: (row, by) => opened(by, sealed.RELEASE_REQUEST, row.request, row.request_box),
    },
  },
  release_word: {
    without: ['word_box', 'end_box'],
    opened: {
      statement: (row, by) => opened(by, sealed.RELEASE_WORD, row.word, row.word_box),
      ended: (row, by) => opened(by, sealed.RELEASE_END, row.word, row.end_box),
    },
  },
  opening: {},
  project_kek: { without: ['box'] },
  tombstone: {},
  totp: { without: ['secret_box'] },
  lock: {},
  organisation: { without: ['claim_digest', 'registration_box'] },
  keyring_statement: {},
  member: {
    without: ['name_box', 'tries', 'try_after'],
    opened: {
      name: (row, by) => opened(by, sealed.MEMBER_NAME, row.member, row.name_box),
    },
  },
  member_device: {},
  site: {
    without: ['name_index', 'name_box'],
    opened: {
      name: (row, by) => opened(by, sealed.SITE_NAME, row.site, row.name_box),
    },
  },
  certified_agent: {},
  agent: {
    without: ['place_box'],
    opened: {
      place: (row, by) => opened(by, sealed.AGENT_PLACE, row.agent, row.place_box),
    },
  },
  artifact: {
    without: ['name_index', 'name_box'],
    opened: {
      name: (row, by) => opened(by, sealed.ARTIFACT_NAME, row.artifact, row.name_box),
    },
  },
  artifact_version: {
    without: [...WRAPPED, 'details_box', 'place_box'],
    opened: {
      details: (row, by) => opened(by, sealed.ARTIFACT_DETAILS, at(row), row.details_box),
      place: (row, by) => opened(by, sealed.ARTIFACT_PLACE, at(row), row.place_box),
    },
  },
  job: {
    without: ['name_box', 'workload', 'missing_box'],
    opened: {
      name: (row, by) => opened(by, sealed.JOB_NAME, row.job, row.name_box),
      missing: (row, by) => opened(by, sealed.JOB_MISSING, row.job, row.missing_box),
      launched: workloadOf,
    },
  },
  job_output: {},
  attempt: { without: ['payload'] },
  secret: {
    without: [...WRAPPED, 'name_index', 'name_box', 'value_box'],
    opened: {
      name: (row, by) => opened(by, sealed.SECRET_NAME, row.name_index, row.name_box),
    },
  },
  checkpoint: { without: WRAPPED },
  attempt_log: { without: WRAPPED },
  endpoint: {
    without: ['name_index', 'name_box'],
    opened: {
      name: (row, by) => opened(by, sealed.ENDPOINT_NAME, row.endpoint, row.name_box),
    },
  },
  endpoint_revision: {
    without: ['service_box'],
    opened: {
      service: (row, by) => opened(by, sealed.ENDPOINT_SERVICE, `${row.endpoint}/${row.revision}`, row.service_box),
    },
  },
  endpoint_token: {
    without: ['name_box'],
    opened: {
      name: (row, by) => opened(by, sealed.TOKEN_NAME, row.digest, row.name_box),
    },
  },
  gateway: {},
  endpoint_issuer: { without: ['key_box'] },
  evidence: {},
  signed_rule: {
    without: ['name_index', 'document_box'],
    opened: {
      statement: (row, by) => opened(by, sealed.RULE_DOCUMENT, row.digest, row.document_box),
    },
  },
  contract: {
    without: ['file_box'],
    opened: { file: (row, by) => opened(by, sealed.CONTRACT_FILE, row.contract, row.file_box) },
  },
  contract_withdrawal: {
    without: ['statement_box'],
    opened: {
      statement: (row, by) => opened(by, sealed.CONTRACT_WITHDRAWAL, `${row.contract}/${row.party}`, row.statement_box),
    },
  },
  peer_name: {
    without: ['name_box'],
    opened: { name: (row, by) => opened(by, sealed.PEER_NAME, row.peer, row.name_box) },
  },
  shredded_attempt: {},
  retention: {},
  erasure: {},
  event: { without: ['body', 'audit'], opened: { body: ({ body }) => JSON.parse(fromUtf8(body)) as unknown } },
};
