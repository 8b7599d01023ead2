import type { Command } from './command.ts';

/** Every verb and where it lives; loaded when it is called, so that each starts fast. */
export const VERBS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  'org init': () => import('./commands/org-init.ts'),
  'org renew': () => import('./commands/org-renew.ts'),
  'device ls': () => import('./commands/device-ls.ts'),
  'device remove': () => import('./commands/device-remove.ts'),
  'agent join-code': () => import('./commands/agent-join-code.ts'),
  'agent keys': () => import('./commands/agent-keys.ts'),
  'agent join': () => import('./commands/agent-join.ts'),
  'agent ls': () => import('./commands/agent-ls.ts'),
  'agent drain': () => import('./commands/agent-drain.ts'),
  'agent remove': () => import('./commands/agent-remove.ts'),
  'keyring ls': () => import('./commands/keyring-ls.ts'),
  'keyring add-admitter': () => import('./commands/keyring-add-admitter.ts'),
  'keyring add-issuer': () => import('./commands/keyring-add-issuer.ts'),
  'keyring remove-admitter': () => import('./commands/keyring-remove-admitter.ts'),
  'keyring remove-issuer': () => import('./commands/keyring-remove-issuer.ts'),
  'admitter init': () => import('./commands/admitter-init.ts'),
  'admitter admit': () => import('./commands/admitter-admit.ts'),
  'provider init': () => import('./commands/provider-init.ts'),
  'provider certify': () => import('./commands/provider-certify.ts'),
  'provider evidence': () => import('./commands/provider-evidence.ts'),
  'evidence init': () => import('./commands/evidence-init.ts'),
  'evidence issue': () => import('./commands/evidence-issue.ts'),
  'evidence revoke': () => import('./commands/evidence-revoke.ts'),
  'dataset add': () => import('./commands/dataset-add.ts'),
  'dataset ls': () => import('./commands/dataset-ls.ts'),
  'secret set': () => import('./commands/secret-set.ts'),
  'secret ls': () => import('./commands/secret-ls.ts'),
  'secret rm': () => import('./commands/secret-rm.ts'),
  'profile set': () => import('./commands/profile-set.ts'),
  'profile ls': () => import('./commands/profile-ls.ts'),
  'profile show': () => import('./commands/profile-show.ts'),
  'profile rm': () => import('./commands/profile-rm.ts'),
  'job init': () => import('./commands/job-init.ts'),
  'job convert': () => import('./commands/job-convert.ts'),
  plan: () => import('./commands/plan.ts'),
  launch: () => import('./commands/launch.ts'),
  why: () => import('./commands/why.ts'),
  'why-not': () => import('./commands/why-not.ts'),
  offers: () => import('./commands/offers.ts'),
  'receipt get': () => import('./commands/receipt-get.ts'),
  'receipt verify': () => import('./commands/receipt-verify.ts'),
  ps: () => import('./commands/ps.ts'),
  status: () => import('./commands/status.ts'),
  logs: () => import('./commands/logs.ts'),
  metrics: () => import('./commands/metrics.ts'),
  exec: () => import('./commands/exec.ts'),
  cp: () => import('./commands/cp.ts'),
  'artifact ls': () => import('./commands/artifact-ls.ts'),
  'artifact get': () => import('./commands/artifact-get.ts'),
  'artifact prune': () => import('./commands/artifact-prune.ts'),
  stop: () => import('./commands/stop.ts'),
  fence: () => import('./commands/fence.ts'),
  'wire tail': () => import('./commands/wire-tail.ts'),
  'wire verify': () => import('./commands/wire-verify.ts'),
  'custodian backup': () => import('./commands/custodian-backup.ts'),
  'custodian restore': () => import('./commands/custodian-restore.ts'),
  'endpoint ls': () => import('./commands/endpoint-ls.ts'),
  'endpoint call': () => import('./commands/endpoint-call.ts'),
  'endpoint metrics': () => import('./commands/endpoint-metrics.ts'),
  'endpoint scale': () => import('./commands/endpoint-scale.ts'),
  'endpoint rm': () => import('./commands/endpoint-rm.ts'),
  'endpoint ca': () => import('./commands/endpoint-ca.ts'),
  'endpoint token': () => import('./commands/endpoint-token.ts'),
  'endpoint gateway': () => import('./commands/endpoint-gateway.ts'),
  doctor: () => import('./commands/doctor.ts'),
};

/** Verbs that somebody who typed `words` may have meant: the nearest one, else those that begin with the first word. */
export async function nearestVerbs(words: readonly string[]): Promise<string[]> {
  const [first = '', second] = words;
  const below = Object.keys(VERBS).filter((verb) => verb.startsWith(`${first} `));
  if (below.length > 0 && second === undefined) return below;
  const { nearestWord } = await import('@ringfence/protocol/job-file');
  const nearest =
    nearestWord(`${first} ${second ?? ''}`.trim(), Object.keys(VERBS)) ?? nearestWord(first, Object.keys(VERBS));
  return nearest === undefined ? below : [nearest];
}
