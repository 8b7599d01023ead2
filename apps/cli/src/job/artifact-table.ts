import { formatSize } from '@ringfence/base';
import type { ArtifactRow } from '@ringfence/protocol/payload';
import type { CommandContext } from '../command.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

/** The catalogue's rows of one kind. */
export async function listArtifacts(context: CommandContext, kind: ArtifactRow['kind']): Promise<ArtifactRow[]> {
  const rows = await withSession(context, ({ custodian }) => custodian.artifacts());
  return rows.filter((row) => row.kind === kind);
}

/** Catalogue rows for people; `none` when there are none. */
export function artifactTable(none: string, rows: readonly ArtifactRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    String(row.version),
    row.sensitivity,
    row.residency.join(' '),
    row.purposes.join(' '),
    String(row.files),
    formatSize(row.bytes),
    row.artifact,
    row.place === undefined ? '' : `${row.place.siteName}:${row.place.path}`,
  ]);
  return tableOr(none, ['NAME', 'VERSION', 'LABEL', 'RESIDENCY', 'PURPOSES', 'FILES', 'SIZE', 'ID', 'IN PLACE'], cells);
}
