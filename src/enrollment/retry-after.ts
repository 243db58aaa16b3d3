/** Until what is refused may fare better, where nothing says when. */
export const anyTimeSeconds = 60;

/**
 * How long a held client should wait: a quarter of the time it has waited already, so that an operator who decides at
 * once is answered at once, and one who sleeps over it is not polled through the night.
 */
export function retryAfterSeconds(waitedMilliseconds: number, longestSeconds: number): number {
  const shortestSeconds = 2;
  return Math.min(Math.max(Math.round(waitedMilliseconds / 4000), shortestSeconds), longestSeconds);
}
