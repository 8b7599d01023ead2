import { canonicalJson } from '@ringfence/base';
import { journalLines, journalParts } from '@ringfence/client/control-link';
import type { JournalRecordOf } from '@ringfence/ledger';
import { MESSAGES } from '@ringfence/protocol/messages';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { journalFolders } from '../wire/journal-folders.ts';

type FrameRecord = JournalRecordOf<'frame'>;

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
    for (const { folder, place } of journalFolders(state)) {
      const frames: FrameRecord[] = [];
      let count = 0;
      for (const record of journalLines(journalParts(folder))) {
        if (record.kind !== 'frame') continue;
        count += 1;
        if (frames.push(record) > last) frames.shift();
      }
      terminal.note(`${place === '' ? state : place}: ${count} frames, the last ${frames.length}`);
      for (const frame of frames) {
        terminal.value(frame);
        terminal.line(lineOf(frame));
      }
    }
  },
};

function lineOf(frame: FrameRecord): string {
  const direction = frame.dir === 'out' ? '→' : '←';
  const body = canonicalJson(frame.body);
  const short = body.length > 160 ? `${body.slice(0, 160)}…` : body;
  // oxlint-disable-next-line no-restricted-globals -- writes a recorded time; no clock is read
  const at = new Date(frame.t).toISOString();
  return `${at} ${direction} ${(NAMES.get(frame.number) ?? String(frame.number)).padEnd(14)} ${String(frame.size).padStart(4)} B  ${short}`;
}
