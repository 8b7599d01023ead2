import type { JobFile } from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';

/** What a job file can say before the product can do it, each with the words for it. */
const NOT_YET: readonly { readonly asks: (file: JobFile) => boolean; readonly what: string }[] = [
  {
    asks: ({ type }) => type === 'compute',
    what: 'type compute',
  },
  { asks: ({ privacy }) => privacy.tee !== undefined, what: 'privacy.tee' },
  // No placement is told where a job's data lies, so this term of the score is always 0.
  { asks: ({ weights }) => weights?.gravity !== undefined, what: 'weights.gravity' },
];

/** Refuses a job that asks for what does not exist yet, all of it at once; nothing is quietly left out. Throws CliError `not-yet`. */
export function refuseWhatIsNotYet(file: JobFile): void {
  const asked = NOT_YET.filter(({ asks }) => asks(file)).map(({ what }) => what);
  if (asked.length > 0)
    throw new CliError('not-yet', `this release cannot do what the job asks for: ${asked.join('; ')}`, {
      next: 'take these fields out; docs/job-file.md says what works',
    });
}
