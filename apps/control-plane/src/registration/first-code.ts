import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@ringfence/base/platform';
import type { ControlPlaneRoute } from '@ringfence/protocol/payload';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { addRegistrationCode } from './registration-codes.ts';

/** Where the code for the first organisation lies, while there is none. */
export function firstCodeFile(state: string): string {
  return join(state, 'registration-code');
}

/** While no organisation is registered, each start leaves a fresh code for the first one in the state folder (0600). */
export async function keepFirstCode(
  context: ControlPlaneContext,
  state: string,
  route: ControlPlaneRoute,
): Promise<string> {
  const file = firstCodeFile(state);
  const { count } = await context.store.withSystem('gauges', (tx) =>
    tx
      .selectFrom('organisation')
      .select((build) => build.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow(),
  );
  if (count > 0) rmSync(file, { force: true });
  else writeFileAtomic(file, (await addRegistrationCode(context, route)).text().expose());
  return file;
}
