/** The hub could not be reached, refused, or sent what it should not. Messages never hold the token or a server's text. */
export class HubError extends Error {
  /** HTTP status of the answer, if there was one. */
  readonly status: number | undefined;

  /**
   * Makes the error; the caller writes the whole message.
   *
   * @param message Action, what was found, what was wanted and what to do.
   * @param status HTTP status of the answer.
   */
  constructor(message: string, status?: number) {
    super(message);
    this.name = "HubError";
    this.status = status;
  }
}
