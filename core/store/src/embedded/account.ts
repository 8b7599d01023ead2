import { readFileSync, statSync } from 'node:fs';
import { StoreError } from '../store-error.ts';

/** The unprivileged account that the server runs under when this process is root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Accounts tried in order. `nobody` is not among them: sandboxes and NFS map strangers to it, and whatever runs as the
 * server's account can read the database files.
 */
const ACCOUNT_NAMES = ['ringfence-db', 'postgres', 'daemon'] as const;

/** The accounts in the text of a passwd file (passwd(5)); lines that are not seven fields with numeric ids are skipped. */
export function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid, ...rest] = line.split(':');
    if (name === undefined || name === '' || rest.length !== 3) return [];
    if (!/^\d{1,10}$/.test(uid ?? '') || !/^\d{1,10}$/.test(gid ?? '')) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/**
 * The account for a data folder: its present owner when it exists, else the first of {@link ACCOUNT_NAMES}; never uid 0.
 * Throws `no-account`.
 */
export function chooseAccount(accounts: readonly Account[], ownerUid?: number): Account {
  const chosen =
    ownerUid === undefined
      ? ACCOUNT_NAMES.map((name) => accounts.find((account) => account.name === name && account.uid !== 0)).find(
          (account) => account !== undefined,
        )
      : accounts.find((account) => account.uid === ownerUid && account.uid !== 0);
  if (chosen !== undefined) return chosen;
  throw new StoreError('no-account', 'this machine has no account that the embedded database may run under', {
    next: 'run `useradd --system ringfence-db`, start as a plain user, or set a database URL',
  });
}

/** The account that serves `dataFolder` on this machine, or undefined when this process is a plain user and serves it itself. */
export function serverAccount(dataFolder: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataFolder, { throwIfNoEntry: false })?.uid;
  return chooseAccount(parsePasswd(readFileSync('/etc/passwd', 'utf8')), owner);
}
