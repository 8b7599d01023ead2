import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ToProvider } from './provider-main.ts';

/** A running identity provider. */
export interface IdentityProvider {
  readonly issuer: string;
  readonly caFile: string;
  /** Tells it where its client is, or who sits at the browser. */
  tell(what: ToProvider): Promise<void>;
}

/** Starts a real oidc-provider in a process of its own; the test ends it. */
export async function startIdentityProvider(t: TestContext): Promise<IdentityProvider> {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-provider-'));
  const child = fork(join(import.meta.dirname, 'provider-main.ts'), [state], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.after(async () => {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
    rmSync(state, { recursive: true, force: true });
  });
  const [ready] = (await once(child, 'message')) as [{ issuer: string; caFile: string }];
  return {
    ...ready,
    tell: async (what) => {
      const heard = once(child, 'message');
      child.send(what);
      await heard;
    },
  };
}
