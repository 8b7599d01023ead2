import { createHash } from 'node:crypto';
import { canonicalJson } from '@ringfence/base';
import { streamPayload, type PayloadAgent } from '@ringfence/client/payload-link';
import { DATA_MANIFEST_HEAD, dataIndexLine, type DataIndexLine } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { linesOf } from '../job/lines-of.ts';

/** A folder of a site as its agent read it. */
export type SiteIndex = Extract<DataIndexLine, { kind: 'end' }>;

/** A file on a slow disk may be hashed for long without a word. */
const IDLE_WITHIN_MS = 600_000;

/**
 * Asks an agent to read a folder of its site, and checks that digest and counts are those of the entries that it lists. Throws CliError
 * `not-registered` with the agent's reason, ClientError.
 */
export async function indexAtSite(
  link: PayloadAgent,
  path: string,
  onProgress: (bytes: number) => void,
): Promise<SiteIndex> {
  const body = { json: { path } };
  const request = { method: 'POST', path: '/v1/data/index', body, idleWithin: IDLE_WITHIN_MS } as const;
  const answer = await streamPayload(link, request);
  if (answer.status !== 200) {
    answer.body.destroy();
    throw refused(answer.status === 403 ? 'owners and officers register data in place' : 'the agent did not take it');
  }
  const hash = createHash('sha256').update(DATA_MANIFEST_HEAD);
  const seen = { files: 0, bytes: 0 };
  try {
    for await (const text of linesOf(answer.body)) {
      const line = dataIndexLine.parse(JSON.parse(text));
      if (line.kind === 'progress') onProgress(line.bytes);
      else if (line.kind === 'refused') throw refused(line.message);
      else if (line.kind === 'end') return checked(line, { ...seen, manifest: hash.digest('hex') });
      else {
        hash.update(`${canonicalJson(line)}\n`);
        if (line.kind === 'file') [seen.files, seen.bytes] = [seen.files + 1, seen.bytes + line.size];
      }
    }
  } finally {
    answer.body.destroy();
  }
  throw refused('the agent’s answer was cut off');
}

function checked(end: SiteIndex, seen: { files: number; bytes: number; manifest: string }): SiteIndex {
  if (end.manifest === seen.manifest && end.files === seen.files && end.bytes === seen.bytes) return end;
  throw refused('the agent’s digest is not that of the files that it lists');
}

function refused(message: string): CliError {
  return new CliError('not-registered', message, { next: 'see docs/operate/agent.md, "Data in place"' });
}
