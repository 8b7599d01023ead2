import { readFileSync } from 'node:fs';
import { canonicalJson } from '@ringfence/base';
import { readJournal, type JournalRecord } from '@ringfence/ledger';
import { MESSAGES } from '@ringfence/protocol/messages';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { journalFolders } from '../wire/journal-folders.ts';

const NAMES = new Map<number, string>(Object.entries(MESSAGES).map(([name, row]) => [row.number, name]));

export const command: Command = {
  usage: '--state DIR [--last N]',
  summary: 'every control message that crossed, readable, from a party’s own journal',
  options: { state: { type: 'string' }, last: { type: 'string' } },
  words: [0, 0],
  async run({ terminal }, _, flags) {
    const state = text(flags, 'state');
    const last = Number(text(flags, 'last') ?? '50');
    if (state === undefined || !Number.isSafeInteger(last) || last < 1)
      throw new CliError('usage', '--state is missing or --last is no number', {
        next: `ringfence wire tail ${this.usage}`,
      });
    for (const { journal, place } of journalFolders(state)) {
      const { records } = readJournal(readFileSync(journal));
      const frames = records.filter((record) => record.kind === 'frame');
      terminal.note(
        `${place === '' ? state : place}: ${frames.length} frames, the last ${Math.min(last, frames.length)}`,
      );
      for (const frame of frames.slice(-last)) {
        terminal.value(frame);
        terminal.line(lineOf(frame));
      }
    }
  },
};

function lineOf(frame: Extract<JournalRecord, { kind: 'frame' }>): string {
  const direction = frame.dir === 'out' ? '→' : '←';
  const body = canonicalJson(frame.body);
  const short = body.length > 160 ? `${body.slice(0, 160)}…` : body;
  // oxlint-disable-next-line no-restricted-globals -- writes a recorded time; no clock is read
  const at = new Date(frame.t).toISOString();
  return `${at} ${direction} ${(NAMES.get(frame.number) ?? String(frame.number)).padEnd(14)} ${String(frame.size).padStart(4)} B  ${short}`;
}
