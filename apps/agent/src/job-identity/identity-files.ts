import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostIdentity } from '../sandbox/index.ts';

/** The tokens of a running attempt as files of the host, in a folder to be mounted read-only; only the job's user reads them. */
export class IdentityFiles {
  readonly folder: string;
  readonly #owner: HostIdentity | null;

  /** Makes `folder`; `owner` is the job's user, null where it is the agent's own. */
  constructor(folder: string, owner: HostIdentity | null) {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    this.folder = folder;
    this.#owner = owner;
  }

  /** Puts a token in place of the one before: whoever opens the file reads the one or the other, whole. */
  write(name: string, token: string): void {
    const draft = join(this.folder, `.${name}`);
    rmSync(draft, { force: true });
    writeFileSync(draft, token, { mode: 0o400, flag: 'wx' });
    if (this.#owner !== null) chownSync(draft, this.#owner.uid, this.#owner.gid);
    renameSync(draft, join(this.folder, name));
  }

  remove(name: string): void {
    rmSync(join(this.folder, name), { force: true });
  }
}
