import { serviceSpec, type ServiceSpec } from '@ringfence/protocol/payload';
import type { Service } from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';

/** A service as the workload carries it. Throws CliError `not-yet` for more than 100 replicas. */
export function serviceOf({ port, api, replicas, scaling, probe }: Service): ServiceSpec {
  const spec = serviceSpec.safeParse({
    port,
    api,
    replicas: { ...replicas },
    ...(scaling === undefined ? {} : { scaling: { ...scaling } }),
    ...(probe === undefined ? {} : { probe }),
  });
  if (spec.success) return spec.data;
  throw new CliError('not-yet', 'this release serves with up to 100 replicas and a target of up to 100,000', {
    next: 'lower `service.replicas` or `service.scaling.target`',
  });
}
