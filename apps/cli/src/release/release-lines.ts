import { formatSize } from '@ringfence/base';
import { momentText } from '../placement/moment-text.ts';
import type { ReleaseRow, ReleaseRuleRow } from '@ringfence/protocol/payload';
import { readStatement } from '@ringfence/keyring';
import type { Recipients } from '@ringfence/protocol/statements';

/** An object as people call it. */
export function objectText({ of }: ReleaseRow['objects'][number]): string {
  return 'logs' in of ? `log of ${of.logs}, attempt ${of.attempt}` : `${of.name} version ${of.version}`;
}

/** To whom something goes. */
export function recipientsText({ org, devices }: Recipients, own: string): string {
  const whom = devices === undefined ? 'all devices' : devices.join(' ');
  return org === own ? whom : `${whom} of ${org}`;
}

function openingsText({ openings, lastOpened }: Pick<ReleaseRow, 'openings' | 'lastOpened'>): string {
  return openings === 0 || lastOpened === null
    ? 'never opened'
    : `opened ${openings} times, last ${momentText(lastOpened)}`;
}

/** A request for the list: a line, and one for each word. */
export function requestLines(row: ReleaseRow, own: string): string[] {
  const what = row.objects.map(objectText).join(', ');
  const to = recipientsText(row.recipients, own);
  return [
    `${row.request}  ${row.state}  ${what}  for ${row.purpose}, to ${to}  (${openingsText(row)})`,
    ...row.words.map(
      ({ device, decision, notAfter, ended }) =>
        `  ${device} ${decision}${ended ? ', ended' : decision === 'released' ? ` until ${momentText(notAfter)}` : ''}`,
    ),
  ];
}

/** A rule for the list. */
export function ruleLine({ word, statement, name, ended, ...row }: ReleaseRuleRow, own: string): string {
  const { scope, kinds, recipients, purposes, mostBytes, mostOpenings, notAfter } = readStatement(
    'release-rule',
    statement,
  ).claimed;
  const of = 'dataset' in scope ? `dataset ${name ?? scope.dataset}` : `job ${name ?? ''} ${scope.job}`;
  const limits = [
    purposes === undefined ? '' : `, for ${purposes.join(' ')}`,
    mostBytes === undefined ? '' : `, up to ${formatSize(mostBytes)}`,
    mostOpenings === undefined ? '' : `, ${mostOpenings} times`,
  ].join('');
  const until = ended ? 'ended' : `until ${momentText(notAfter)}`;
  return `${word.slice(0, 16)}  ${of}: ${kinds.join(' ')} to ${recipientsText(recipients, own)}${limits}, ${until}  (${openingsText(row)})`;
}

/** All that an owner needs to decide a request. */
export function reviewLines(
  {
    request: row,
    inputs,
  }: { request: ReleaseRow; inputs: readonly { name: string; version: number; sensitivity: string }[] },
  own: string,
): string[] {
  return [
    ...requestLines(row, own),
    `  asked by ${row.device}, for ${Math.round(row.validMs / 86_400_000)} days at the most`,
    ...row.objects.map(
      (object) =>
        `  ${objectText(object)}: ${object.files} files, ${formatSize(object.bytes)}, ${object.sensitivity}, ${object.job ?? 'a dataset'}, digest ${object.digest}`,
    ),
    ...inputs.map(({ name, version, sensitivity }) => `  made of ${name} version ${version}, ${sensitivity}`),
    ...row.sources.map(
      ({ source, name, owners }) => `  ${name ?? source} is for ${owners.join(' or ') || 'nobody'} to release`,
    ),
  ];
}
