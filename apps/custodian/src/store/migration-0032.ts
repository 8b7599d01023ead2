/**
 * What the outputs of jobs so far were made of, once more: a release that kept this already left out the jobs of federations. The text never
 * changes.
 */
export const MIGRATION_0032 = `
alter table attempt no force row level security;
alter table job_output no force row level security;
alter table privacy_lineage no force row level security;
insert into privacy_lineage (artifact, source, org, cause, at)
  select distinct o.artifact, mount->>'artifact', o.org, 'output', 0
  from attempt a
  join job_output o on o.job = a.job
  cross join lateral jsonb_array_elements(a.mounts) mount
  where mount->>'artifact' <> o.artifact
  on conflict do nothing;
alter table attempt force row level security;
alter table job_output force row level security;
alter table privacy_lineage force row level security;
`;
