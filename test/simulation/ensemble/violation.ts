/** A rule that was broken. The message says by whom, and where. */
export class Violation extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Violation";
  }
}
