import type { CustodianClient } from '@ringfence/client/custodian';
import type { LogAccuser } from '@ringfence/protocol/payload';
import { momentText } from '../placement/moment-text.ts';

/** All witnesses that found something, page after page. */
export async function allAccusers(custodian: Pick<CustodianClient, 'auditAccusers'>): Promise<LogAccuser[]> {
  const all: LogAccuser[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { accusers, next } = await custodian.auditAccusers(after);
    all.push(...accusers);
    // Ids only rise: a custodian that goes back would be asked for ever.
    after = next !== null && next > after ? next : null;
  }
  return all;
}

/** What one witness found: the first, the newest, and how many more. */
export function accuserLines({ witness, filed, accusations }: LogAccuser): string[] {
  const [first] = accusations;
  const newest = accusations.length > 1 ? accusations.at(-1) : undefined;
  const shown = [first, newest].flatMap((accusation) => accusation ?? []);
  const more = filed - shown.length;
  return [
    ...shown.map(
      ({ at, origin, fault, index }) =>
        `ACCUSED by ${witness}, ${momentText(at)}: ${origin} ${fault}, from entry ${index} on`,
    ),
    ...(more > 0 ? [`  and ${more} more by ${witness}: \`--json\` has the ${accusations.length} that are kept`] : []),
  ];
}
