import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@ringfence/crypto/sign';
import { initProgram } from './init-program.ts';

const IMPORTS = `import * as net from 'node:net';
import * as fs from 'node:fs';
import * as childProcess from 'node:child_process';
import * as os from 'node:os';
`;

/** The init as a file of its own: from source and in a release bundle alike, where it has no file to be bound from. */
export function initText(): string {
  return `${IMPORTS}await (${String(initProgram)})({ net, fs, childProcess, os });\n`;
}

/** Writes the init into `folder`, once for each version of it, readable for every job; returns its path. */
export function installInit(folder: string): string {
  const text = initText();
  const path = join(folder, `init-${sha256Hex(Buffer.from(text)).slice(0, 16)}.mjs`);
  if (existsSync(path)) return path;
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text);
  chmodSync(draft, 0o444);
  renameSync(draft, path);
  return path;
}
