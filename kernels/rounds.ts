/**
 * Rounds of all loops of a thread together that one launch may take: Mesa's CPU driver ends every loop of a shader after
 * 65,535 and says nothing.
 */
export const MAX_ROUNDS = 60_000;

/** Most threads that share a row: what every device allows. */
const MOST_THREADS = 256;

/**
 * Threads that share a row where few are best: `least`, doubled while so few would loop too long.
 *
 * @param rounds Rounds of one of so many threads.
 */
export function threadsWithin(least: number, rounds: (threads: number) => number): number {
  let threads = least;
  while (threads < MOST_THREADS && rounds(threads) > MAX_ROUNDS) threads *= 2;
  return threads;
}
