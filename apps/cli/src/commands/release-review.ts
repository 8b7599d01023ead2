import type { Command } from '../command.ts';
import { previewPack, type PreviewedFile } from '../release/preview.ts';
import { reviewLines } from '../release/release-lines.ts';
import { requestNamed } from '../release/which-request.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'REQUEST [--no-preview]',
  summary: 'what a request asks for: sizes, digests, label, job, inputs; to the data’s owner the beginning of its text',
  options: { 'no-preview': { type: 'boolean' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const { terminal } = context;
    const preview = flags['no-preview'] !== true;
    const { review, files, org } = await withSession(context, async (session) => {
      const answer = await session.custodian.release.review(requestNamed(word), { preview });
      const opened: PreviewedFile[] = [];
      for (const [index, pack] of (answer.preview ?? []).entries()) {
        const bytes = answer.request.objects[index]?.bytes ?? 0;
        opened.push(...(await previewPack(session, { pack, project: answer.project, bytes })));
      }
      return { review: answer, files: opened, org: session.profile.org };
    });
    const { request, inputs } = review;
    terminal.value({ request, inputs, files });
    for (const line of reviewLines(review, org)) terminal.line(line);
    if (preview && review.preview === undefined)
      terminal.line('no preview: it is for whoever owns all of the data, or when the other owners have released it');
    for (const { path, bytes, text } of files) {
      terminal.line(`--- ${path} (${bytes} bytes)`);
      if (text !== undefined) terminal.line(text);
    }
  },
};
