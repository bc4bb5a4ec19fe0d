/** Exponential smoothing of a line, as TensorBoard has it. Pure. */

import { GAP } from "./grid";

/**
 * Each value as the mean of those up to it, where each counts `weight` times what the one after it
 * does. The start is not pulled towards zero: the weights are divided by their sum. Gaps and places
 * without a value stay.
 */
export function smoothed(ys: Float64Array, weight: number): Float64Array {
  const result = new Float64Array(ys.length);
  let [sum, share] = [0, 0];
  for (let i = 0; i < ys.length; i++) {
    const value = ys[i] as number;
    if (value === GAP || Number.isNaN(value)) {
      result[i] = value;
      continue;
    }
    sum = sum * weight + (1 - weight) * value;
    share = share * weight + (1 - weight);
    result[i] = sum / share;
  }
  return result;
}
