import { diskFdatasyncPerS, diskRow } from './disk.ts';
import type { Row } from './row.ts';

export const description =
  'how often a second this disk makes 512 appended bytes durable; goals of durable figures scale with it';

/** One row, `disk_fdatasync_per_s`. */
export async function* run(): AsyncGenerator<Row> {
  yield diskRow(await diskFdatasyncPerS());
}
