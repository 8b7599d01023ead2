const MAX_EDITS = 3;

/**
 * The candidate nearest to `word` by edits of one letter (Damerau-Levenshtein, optimal string alignment), ignoring case and
 * `-` for `_`; undefined when none is near enough to be what was meant. `-` and `_` in the answer are the candidate's own.
 */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const wanted = fold(word);
  let best: string | undefined;
  let bestDistance = Math.min(MAX_EDITS, Math.max(1, Math.floor(wanted.length / 3))) + 1;
  for (const candidate of candidates) {
    // Each letter more or less is an edit of its own.
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, fold(candidate), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/**
 * Fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`; any number from `limit` up when
 * they are `limit` or more.
 */
export function editDistance(a: string, b: string, limit = Infinity): number {
  const width = b.length + 1;
  // Cell row × width + column: the distance between the first `row` letters of a and the first `column` of b.
  const cells = new Uint16Array((a.length + 1) * width);
  const cell = (row: number, column: number): number => cells[row * width + column] ?? 0;
  let nearestBefore = 0;
  for (let row = 0; row <= a.length; row += 1) {
    let nearest = Infinity;
    for (let column = 0; column <= b.length; column += 1) {
      let best = row + column;
      if (row > 0 && column > 0) {
        const same = a.charCodeAt(row - 1) === b.charCodeAt(column - 1);
        best = Math.min(
          cell(row - 1, column) + 1,
          cell(row, column - 1) + 1,
          cell(row - 1, column - 1) + (same ? 0 : 1),
        );
        if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
          best = Math.min(best, cell(row - 2, column - 2) + 1);
        }
      }
      cells[row * width + column] = best;
      nearest = Math.min(nearest, best);
    }
    // A swap reaches back two rows; beyond that distances never fall again.
    if (nearest >= limit && nearestBefore >= limit) return nearest;
    nearestBefore = nearest;
  }
  return cell(a.length, b.length);
}
