/** What is known of one series where it is not known row by row. */

/** Buckets of one series, oldest first. */
export interface Envelope {
  /** One more than there are buckets, rising. */
  readonly edges: Float64Array;
  /** NaN where a bucket has no value. */
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Between `min` and `max`; NaN where it is not known, too. */
  readonly mean: Float64Array;
  /** 1 where the reading is missing. */
  readonly missing: Uint8Array;
  /** The last step of each bucket, or null. */
  readonly step: Float64Array | null;
  /** How far a minimum or maximum may lie outside the samples it stands for. */
  readonly slack: number;
}
