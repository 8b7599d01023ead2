import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@ringfence/base/platform';
import { controlPlaneRoute, type ControlPlaneRoute } from '@ringfence/protocol/payload';
import { ControlPlaneError } from '../control-plane-error.ts';

/** Keeps in the state folder how custodians reach this control plane, for codes that are made beside it. */
export function keepRoute(state: string, route: ControlPlaneRoute): void {
  writeFileAtomic(fileIn(state), `${JSON.stringify(route)}\n`);
}

/** The route that {@link keepRoute} kept, under another `url` when one is given. Throws ControlPlaneError `bad-config`. */
export function keptRoute(state: string, url: string | undefined): ControlPlaneRoute {
  const file = fileIn(state);
  const route = existsSync(file)
    ? controlPlaneRoute.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    : { success: false as const };
  if (route.success) return { ...route.data, url: url ?? route.data.url };
  throw new ControlPlaneError('bad-config', 'this control plane has never run', {
    next: 'start it once with `run`: the code carries the address and the keys that it had then',
  });
}

function fileIn(state: string): string {
  return join(state, 'registration-route.json');
}
