/** What a batch's rows lost, and how many of them were named rightly. */
export interface BatchLoss {
  /** Sum of cross entropies, natural logarithm. */
  readonly loss: number;
  readonly correct: number;
}

/** Where a batch's classes stand: `labels[picks[from + b]]` is row b's. */
export interface LabelViews {
  readonly labels: Uint16Array;
  readonly picks: Uint32Array;
  readonly from: number;
  readonly count: number;
}

/** Softmax and cross entropy of `scores` (rows of `classes`), which become their slopes: probability minus one for the true class. */
export function slopesOfScores(
  scores: Float32Array,
  classes: number,
  { labels, picks, from, count }: LabelViews,
): BatchLoss {
  let [loss, correct] = [0, 0];
  for (let row = 0; row < count; row += 1) {
    const start = row * classes;
    const label = labels[picks[from + row] as number] as number;
    let best = 0;
    for (let other = 1; other < classes; other += 1)
      if ((scores[start + other] as number) > (scores[start + best] as number)) best = other;
    if (best === label) correct += 1;
    const top = scores[start + best] as number;
    const wanted = (scores[start + label] as number) - top;
    let sum = 0;
    for (let at = start; at < start + classes; at += 1) {
      const power = Math.exp((scores[at] as number) - top);
      scores[at] = power;
      sum += power;
    }
    for (let at = start; at < start + classes; at += 1) scores[at] = (scores[at] as number) / sum;
    scores[start + label] = (scores[start + label] as number) - 1;
    loss += Math.log(sum) - wanted;
  }
  return { loss, correct };
}
