import type { JobValues } from './job-fields.ts';
import type { Finding } from './problem-list.ts';
import { isWithin } from './sandbox-path.ts';

interface Claim {
  readonly section: 'mounts' | 'outputs';
  readonly path: string;
}

/** Mounts and outputs that lie within each other, artifacts named twice, and a checkpoint that no output keeps. */
export function pathContradictions({ mounts = [], outputs = [], retry }: JobValues): Finding[] {
  return [...overlaps(mounts, outputs), ...repeatedArtifacts(outputs), ...lostCheckpoint(outputs, retry?.checkpoint)];
}

function overlaps(mounts: readonly { path: string }[], outputs: readonly { path: string }[]): Finding[] {
  const claims: Claim[] = [
    ...mounts.map(({ path }) => ({ section: 'mounts' as const, path })),
    ...outputs.map(({ path }) => ({ section: 'outputs' as const, path })),
  ];
  return claims.flatMap((claim, index) => {
    const earlier = claims.slice(0, index).find(({ path }) => isWithin(path, claim.path) || isWithin(claim.path, path));
    if (earlier === undefined) return [];
    const message = `this path lies within another of ${earlier.section}, or the other way round`;
    return [{ path: [claim.section, claim.path], code: 'contradiction', message }];
  });
}

function repeatedArtifacts(outputs: NonNullable<JobValues['outputs']>): Finding[] {
  return outputs.flatMap(({ path, artifact }, index) => {
    const repeated = outputs.slice(0, index).some((earlier) => earlier.artifact === artifact);
    if (!repeated) return [];
    return [
      { path: ['outputs', path, 'artifact'], code: 'contradiction', message: 'another output has this artifact' },
    ];
  });
}

function lostCheckpoint(outputs: readonly { path: string }[], checkpoint: string | undefined): Finding[] {
  if (checkpoint === undefined || outputs.some(({ path }) => isWithin(checkpoint, path))) return [];
  const message = 'a checkpoint lies in an output such as /out/ckpt, or it is lost with the attempt';
  return [{ path: ['retry', 'checkpoint'], code: 'contradiction', message }];
}
