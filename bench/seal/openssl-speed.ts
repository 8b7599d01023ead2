import { spawnSync } from 'node:child_process';

/** Gigabytes a second of `openssl speed` over AES-256-GCM in pieces of `bytes`, one process; undefined where it is not installed. */
export function opensslPerSecond(bytes: number): number | undefined {
  const { stdout } = spawnSync('openssl', ['speed', '-evp', 'aes-256-gcm', '-bytes', String(bytes), '-seconds', '2'], {
    encoding: 'utf8',
  });
  const found = /([\d.]+)k\s*$/.exec(stdout ?? '');
  return found === null ? undefined : (Number(found[1]) * 1_000) / 1e9;
}
