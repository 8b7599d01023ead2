/**
 * What `RINGFENCE_FAULT` says, for the tests that kill a process at a step; always undefined in a release, whose build puts the word in
 * place of `process.env.RINGFENCE_BUILD`, so that nothing of it is left there for an environment to arm.
 */
export function faultSetting(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return process.env['RINGFENCE_BUILD'] === 'release' ? undefined : env['RINGFENCE_FAULT'];
}
