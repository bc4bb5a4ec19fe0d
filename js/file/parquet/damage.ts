/** The one error of this folder: bytes that are not what they should be. */
export class DamageError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = "DamageError";
  }
}
