import { RDP_ORDERS, type RenyiCurve } from './rdp.ts';

/** The least epsilon at which a curve is (epsilon, `delta`)-private (Canonne, Kamath, Steinke 2020, proposition 12), and the order that gave it. */
export function epsilonOfRdp(curve: RenyiCurve, delta: number): { readonly epsilon: number; readonly order: number } {
  let best = { epsilon: Infinity, order: Infinity };
  for (const [at, order] of RDP_ORDERS.entries()) {
    const epsilon = epsilonAt(curve[at] ?? Infinity, order, delta);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}

function epsilonAt(divergence: number, order: number, delta: number): number {
  if (!Number.isFinite(divergence)) return Infinity;
  // Total variation is at most sqrt(1 − e^−KL) (Bretagnolle, Huber), and a Rényi divergence of order above 1 is at least KL.
  if (delta * delta + Math.expm1(-divergence) > 0) return 0;
  if (order <= 1.01) return Infinity;
  return Math.max(0, divergence + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1));
}

/** The least delta at which a curve is (`epsilon`, delta)-private (the same proposition). */
export function deltaOfRdp(curve: RenyiCurve, epsilon: number): number {
  let best = 0;
  for (const [at, order] of RDP_ORDERS.entries()) {
    const divergence = curve[at] ?? Infinity;
    if (!Number.isFinite(divergence) || order <= 1.01) continue;
    const total = 0.5 * Math.log(-Math.expm1(-divergence));
    const tight = (order - 1) * (divergence - epsilon + Math.log1p(-1 / order)) - Math.log(order);
    best = Math.min(best, total, tight);
  }
  return Math.exp(best);
}
