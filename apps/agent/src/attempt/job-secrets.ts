import { fromUtf8, Secret, utf8 } from '@ringfence/base';
import type { GrantPayload } from '@ringfence/protocol/payload';

/** Values that a grant delivered, by the names of their variables. */
export type JobSecrets = ReadonlyMap<string, Secret>;

/** Takes the values out of a grant: from here on nothing prints them. */
export function secretsOf(granted: NonNullable<GrantPayload['secrets']>): JobSecrets {
  return new Map(granted.map(({ name, value }) => [name, new Secret(utf8(value))]));
}

/**
 * Lines of shell that make secrets variables of whatever the script starts, or files that only the job's user can read. They travel in the
 * script, which every level hands over outside arguments and environments: so no program before the job's own shell, and nothing on the
 * host, ever has them in its environment, and files lie in memory of the sandbox alone.
 */
export function deliverSecrets(secrets: JobSecrets, files: Readonly<Record<string, string>> = {}): string {
  return [...secrets]
    .map(([name, secret]) => {
      const value = quote(fromUtf8(secret.expose()));
      const file = files[name];
      return file === undefined ? `export ${name}=${value}\n` : `(umask 377; printf %s ${value} > ${file})\n`;
    })
    .join('');
}

/** Whether `text` holds one of the values. */
export function showsSecret(secrets: JobSecrets, text: string): boolean {
  return [...secrets.values()].some((secret) => text.includes(fromUtf8(secret.expose())));
}

/** Wipes the values. */
export function forgetSecrets(secrets: JobSecrets): void {
  for (const secret of secrets.values()) secret[Symbol.dispose]();
}

/**
 * Between single quotes a shell changes nothing; only the quote itself has to be written otherwise (POSIX, Shell Command Language 2.2.2).
 * A slash stands apart from what follows it, so that level process, which writes host paths in place of mounts, takes no value for a path.
 */
function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`).replaceAll('/', "/''")}'`;
}
