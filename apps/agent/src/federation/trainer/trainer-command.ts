import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { Workload } from '@ringfence/protocol/payload';
import type { Mount } from '../../sandbox/index.ts';
import { placeCopy } from '../../sandbox/place-copy.ts';
import type { GrantedFederation } from '../granted-federation.ts';
import { TRAINER_TEXT } from './generated/trainer-text.ts';

/** Where a job finds the trainer that Ringfence brings. */
export const TRAINER_FOLDER = '/opt/ringfence/trainer';

const PROGRAM = 'train.mjs';

/** What of the host a job needs beside its data to be trained by our trainer: the trainer, written below `folder` once for each version of it, readable for every job. */
export function trainerMounts(folder: string, { terms }: GrantedFederation): readonly Mount[] {
  if (terms.contract.code.kind !== 'embedded') return [];
  const hostPath = join(folder, `trainer-${sha256Hex(Buffer.from(TRAINER_TEXT)).slice(0, 16)}`);
  if (!existsSync(hostPath)) {
    const draft = `${hostPath}.${process.pid}.new`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, PROGRAM), TRAINER_TEXT);
    chmodSync(join(draft, PROGRAM), 0o444);
    chmodSync(draft, 0o755);
    placeCopy(draft, hostPath);
  }
  return [{ hostPath, sandboxPath: TRAINER_FOLDER, mode: 'ro' }];
}

/** `workload` with the trainer's command where the contract names no other code: it reads the dataset and talks to the job's socket. */
export function trainedHere(workload: Workload, federation: GrantedFederation | undefined): Workload {
  const [mount] = workload.mounts;
  if (federation?.terms.contract.code.kind !== 'embedded' || mount === undefined) return workload;
  return { ...workload, run: `exec node ${TRAINER_FOLDER}/${PROGRAM} ${mount.path}` };
}
