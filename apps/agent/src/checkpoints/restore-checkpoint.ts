import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GrantPayload, PackReference } from '@ringfence/protocol/payload';
import { checkpointPlace } from './checkpoint-place.ts';

/**
 * Makes the folder of the checkpoint in its output, which no job has touched yet, and opens in it what the last attempt left. Returns the
 * folder of the output that changed. Throws what opening a pack throws.
 */
export async function restoreCheckpoint(
  payload: Pick<GrantPayload, 'workload' | 'outputs' | 'checkpoint'>,
  outputs: readonly { readonly hostPath: string }[],
  open: (pack: PackReference, into: string) => Promise<unknown>,
): Promise<string | undefined> {
  const place = checkpointPlace(payload);
  const output = place === undefined ? undefined : outputs[place.output]?.hostPath;
  if (place === undefined || output === undefined) return undefined;
  const folder = join(output, ...place.steps);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (payload.checkpoint !== undefined) await open(payload.checkpoint, folder);
  return output;
}
